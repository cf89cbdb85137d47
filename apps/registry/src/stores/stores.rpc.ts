import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryStores } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { StoresService } from './stores.service.js';

type Calls = typeof registryStores;

@Controller()
export class StoresRpc {
  constructor(private readonly stores: StoresService) {}

  @HandleRpc(registryStores.mayDescribe)
  async mayDescribe({ ctx }: RequestOf<Calls['mayDescribe']>): Promise<ResponseOf<Calls['mayDescribe']>> {
    this.stores.enforceMayDescribe(ctx);
    return {};
  }

  @HandleRpc(registryStores.removeImage)
  async removeImage({
    ctx,
    id,
    storeId,
  }: RequestOf<Calls['removeImage']>): Promise<ResponseOf<Calls['removeImage']>> {
    await this.stores.removeImage(ctx, storeId, id);
    return {};
  }
}

import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryCache } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { CacheService } from './cache.service.js';

type Calls = typeof registryCache;

@Controller()
export class CacheRpc {
  constructor(private readonly cache: CacheService) {}

  @HandleRpc(registryCache.authorize)
  authorize(request: RequestOf<Calls['authorize']>): Promise<ResponseOf<Calls['authorize']>> {
    return this.cache.authorize(request);
  }

  @HandleRpc(registryCache.openFill)
  openFill({ id }: RequestOf<Calls['openFill']>): Promise<ResponseOf<Calls['openFill']>> {
    return this.cache.openFill(id);
  }

  @HandleRpc(registryCache.findDeleted)
  async findDeleted({ ids }: RequestOf<Calls['findDeleted']>): Promise<ResponseOf<Calls['findDeleted']>> {
    return { ids: await this.cache.findDeleted(ids) };
  }
}

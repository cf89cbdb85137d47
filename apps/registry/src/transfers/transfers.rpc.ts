import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryTransfers } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { TransfersService } from './transfers.service.js';

type Calls = typeof registryTransfers;

@Controller()
export class TransfersRpc {
  constructor(private readonly transfers: TransfersService) {}

  @HandleRpc(registryTransfers.report)
  async report(request: RequestOf<Calls['report']>): Promise<ResponseOf<Calls['report']>> {
    await this.transfers.report(request);
    return {};
  }

  @HandleRpc(registryTransfers.list)
  list({ ctx, ...wanted }: RequestOf<Calls['list']>): Promise<ResponseOf<Calls['list']>> {
    return this.transfers.list(ctx, wanted);
  }
}

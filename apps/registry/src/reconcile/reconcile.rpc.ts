import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryReconcile } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { OrphansService } from './orphans.service.js';
import { PromisesService } from './promises.service.js';
import { QuarantineService } from './quarantine.service.js';

type Calls = typeof registryReconcile;

@Controller()
export class ReconcileRpc {
  constructor(
    private readonly orphans: OrphansService,
    private readonly quarantine: QuarantineService,
    private readonly promised: PromisesService,
  ) {}

  @HandleRpc(registryReconcile.examine)
  examine(request: RequestOf<Calls['examine']>): Promise<ResponseOf<Calls['examine']>> {
    return this.orphans.examine(request);
  }

  @HandleRpc(registryReconcile.settle)
  settle(request: RequestOf<Calls['settle']>): Promise<ResponseOf<Calls['settle']>> {
    return this.quarantine.settle(request);
  }

  @HandleRpc(registryReconcile.review)
  review(request: RequestOf<Calls['review']>): Promise<ResponseOf<Calls['review']>> {
    return this.quarantine.review(request);
  }

  @HandleRpc(registryReconcile.conclude)
  conclude(request: RequestOf<Calls['conclude']>): Promise<ResponseOf<Calls['conclude']>> {
    return this.quarantine.conclude(request);
  }

  @HandleRpc(registryReconcile.promises)
  promises(request: RequestOf<Calls['promises']>): Promise<ResponseOf<Calls['promises']>> {
    return this.promised.list(request);
  }

  @HandleRpc(registryReconcile.report)
  async report(request: RequestOf<Calls['report']>): Promise<ResponseOf<Calls['report']>> {
    await this.promised.report(request);
    return {};
  }
}

import type { RpcClient } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryReconcile } from '@glimpse/contracts';
import type { JobContext } from '../../runner/job-handler.js';

type Calls = typeof registryReconcile;
type Asked<D extends Calls[keyof Calls]> = Omit<RequestOf<D>, 'jobId' | 'leaseToken'>;

/** The registry's part in a comparison, asked under the lease of the job. */
export class RegistryCalls {
  constructor(
    private readonly rpc: Pick<RpcClient, 'call'>,
    private readonly lease: JobContext['lease'],
  ) {}

  examine(asked: Asked<Calls['examine']>): Promise<ResponseOf<Calls['examine']>> {
    return this.rpc.call(registryReconcile.examine, { ...this.lease, ...asked });
  }

  settle(asked: Asked<Calls['settle']>): Promise<ResponseOf<Calls['settle']>> {
    return this.rpc.call(registryReconcile.settle, { ...this.lease, ...asked });
  }

  review(asked: Asked<Calls['review']>): Promise<ResponseOf<Calls['review']>> {
    return this.rpc.call(registryReconcile.review, { ...this.lease, ...asked });
  }

  conclude(asked: Asked<Calls['conclude']>): Promise<ResponseOf<Calls['conclude']>> {
    return this.rpc.call(registryReconcile.conclude, { ...this.lease, ...asked });
  }

  promises(asked: Asked<Calls['promises']>): Promise<ResponseOf<Calls['promises']>> {
    return this.rpc.call(registryReconcile.promises, { ...this.lease, ...asked });
  }

  report(asked: Asked<Calls['report']>): Promise<ResponseOf<Calls['report']>> {
    return this.rpc.call(registryReconcile.report, { ...this.lease, ...asked });
  }
}

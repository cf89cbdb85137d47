import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryInstances } from '@glimpse/contracts';
import { Database } from '@glimpse/persistence';
import { Controller } from '@nestjs/common';
import { JobsService } from '../jobs/jobs.service.js';
import { InstanceLeases } from './instance-leases.js';
import { Reaper } from './reaper.js';

type Calls = typeof registryInstances;

@Controller()
export class InstancesRpc {
  constructor(
    private readonly database: Database,
    private readonly leases: InstanceLeases,
    private readonly jobs: JobsService,
    private readonly reaper: Reaper,
  ) {}

  @HandleRpc(registryInstances.heartbeat)
  async heartbeat({
    instanceId,
    service,
    host,
  }: RequestOf<Calls['heartbeat']>): Promise<ResponseOf<Calls['heartbeat']>> {
    await this.database.unitOfWork.run((tx) =>
      this.leases.renew(tx, { instanceId, details: { service, host } }),
    );
    return { leaseMs: this.leases.leaseMs };
  }

  @HandleRpc(registryInstances.release)
  async release({ instanceId }: RequestOf<Calls['release']>): Promise<ResponseOf<Calls['release']>> {
    await this.database.unitOfWork.run(async (tx) => {
      await this.leases.release(tx, instanceId);
      await this.reaper.reapAllOf(tx, instanceId);
      await this.jobs.releaseAllOf(tx, instanceId);
    });
    return {};
  }

  @HandleRpc(registryInstances.ping)
  async ping(): Promise<ResponseOf<Calls['ping']>> {
    await this.database.query('SELECT 1 AS one');
    return {};
  }
}

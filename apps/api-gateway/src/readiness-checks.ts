import { Injectable } from '@nestjs/common';
import { BusStatus, RpcClient } from '@glimpse/bus';
import { ServiceError, registryInstances } from '@glimpse/contracts';
import type { HealthChecks } from '@glimpse/runtime';
import { StoreRegistry } from '@glimpse/stores';

/** What has to work for this gateway to be sent requests. */
@Injectable()
export class ReadinessChecks {
  readonly all: HealthChecks;
  private isStopping = false;

  constructor(rpc: RpcClient, bus: BusStatus, stores: StoreRegistry) {
    this.all = {
      service: async () => {
        if (this.isStopping) throw new ServiceError('SERVICE_STOPPING', 'The service is stopping.');
      },
      bus: async () => {
        if (!bus.isConnected())
          throw new ServiceError('BUS_UNAVAILABLE', 'There is no connection to the broker.');
      },
      registry: () => rpc.call(registryInstances.ping, {}),
      ...Object.fromEntries(stores.ids.map((id) => [`store ${id}`, () => stores.get(id).checkHealth({})])),
    };
  }

  /** From now on it is not ready, whatever works. */
  stop(): void {
    this.isStopping = true;
  }
}

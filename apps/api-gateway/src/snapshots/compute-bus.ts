import { type ForeignRequests, createForeignRequests } from '@glimpse/bus';
import { snapshotBus } from '@glimpse/config';
import { Injectable } from '@nestjs/common';
import { GatewaySettings } from '../gateway-settings.js';

/** The RabbitMQ of compute: that of the services, another one, or none. */
@Injectable()
export class ComputeBus {
  readonly requests: ForeignRequests | undefined;

  constructor({ config, instanceId, logger }: GatewaySettings) {
    const bus = snapshotBus(config);
    if (bus === undefined) return;
    const { prefetch, maxMessageBytes: maxBodyBytes, transientExchange } = config.snapshots;
    this.requests = createForeignRequests({
      service: 'api-gateway',
      instanceId,
      ...bus,
      logger,
      requests: { prefetch, maxBodyBytes, hasTransientExchange: transientExchange },
    });
  }
}

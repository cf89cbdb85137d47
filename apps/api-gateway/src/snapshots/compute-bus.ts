import { type ForeignRequests, createForeignRequests } from '@glimpse/bus';
import { snapshotBusUrl } from '@glimpse/config';
import { Injectable } from '@nestjs/common';
import { GatewaySettings } from '../gateway-settings.js';

/** The RabbitMQ of compute: that of the services, another one, or none. */
@Injectable()
export class ComputeBus {
  readonly requests: ForeignRequests | undefined;

  constructor({ config, instanceId, logger }: GatewaySettings) {
    const url = snapshotBusUrl(config);
    if (url === undefined) return;
    const { prefetch, maxMessageBytes: maxBodyBytes, transientExchange, busTls } = config.snapshots;
    this.requests = createForeignRequests({
      service: 'api-gateway',
      instanceId,
      url,
      options: { ...config.bus, ...(busTls === undefined ? {} : { tls: busTls }) },
      logger,
      requests: { prefetch, maxBodyBytes, hasTransientExchange: transientExchange },
    });
  }
}

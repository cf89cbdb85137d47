import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { BusClient } from './bus-client.js';
import type { BusOptions } from './bus-options.js';
import { BusStatus } from './bus-status.js';
import { EventPublisher } from './event-publisher.js';
import { LiveEvents } from './live-events.js';
import { RpcClient } from './rpc-client.js';

/** Calls that are still made while the application ends: giving leases back, for one. */
const CLOSE_GRACE_MS = 1_000;

/**
 * Provides `RpcClient`, `EventPublisher`, `LiveEvents` and `BusStatus` to the whole application, on one connection. It connects in
 * the background: without a broker the start does not fail, and calls reject with BUS_UNAVAILABLE.
 */
@Module({})
export class BusModule implements OnApplicationShutdown {
  constructor(@Inject(BusClient) private readonly client: BusClient) {}

  static forRoot(options: BusOptions): DynamicModule {
    return {
      module: BusModule,
      global: true,
      providers: [
        { provide: BusClient, useFactory: () => new BusClient(options) },
        { provide: RpcClient, inject: [BusClient], useFactory: (client: BusClient) => client.rpc },
        { provide: EventPublisher, inject: [BusClient], useFactory: (client: BusClient) => client.publisher },
        { provide: LiveEvents, inject: [BusClient], useFactory: (client: BusClient) => client.live },
        { provide: BusStatus, inject: [BusClient], useFactory: (client: BusClient) => client.connection },
      ],
      exports: [RpcClient, EventPublisher, LiveEvents, BusStatus],
    };
  }

  onApplicationShutdown(): Promise<void> {
    return this.client.close(CLOSE_GRACE_MS);
  }
}

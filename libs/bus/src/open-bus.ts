import { BusClient } from './bus-client.js';
import type { BusOptions } from './bus-options.js';
import type { BusStatus } from './bus-status.js';
import type { DeadLetters } from './dead-letters.js';
import type { EventPublisher } from './event-publisher.js';
import type { LiveEvents } from './live-events.js';
import type { RpcClient } from './rpc-client.js';

/** The sending end of the bus, for programs that are no NestJS application. */
export interface OpenBus {
  readonly rpc: RpcClient;
  readonly publisher: EventPublisher;
  readonly live: LiveEvents;
  readonly deadLetters: DeadLetters;
  readonly status: BusStatus;
  /** Waits up to `graceMs` (0 unless given) for answers, rejects the other calls and disconnects. */
  close(graceMs?: number): Promise<void>;
}

/** Connects in the background; what needs the connection waits briefly for it and then rejects with BUS_UNAVAILABLE. */
export function openBus(options: BusOptions): OpenBus {
  const client = new BusClient(options);
  return {
    rpc: client.rpc,
    publisher: client.publisher,
    live: client.live,
    deadLetters: client.deadLetters,
    status: client.connection,
    close: (graceMs) => client.close(graceMs),
  };
}

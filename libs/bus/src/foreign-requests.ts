import type { BusOptions } from './bus-options.js';

// Messages of others than our own services: no envelopes of ours, and nothing in them is taken for granted.

/** A request that arrived. It comes again, perhaps elsewhere, unless one of the three methods succeeds. */
export interface ForeignRequest {
  readonly body: Buffer;
  /** The user that published it, as the broker checked; null for one that did not say. */
  readonly publisher: string | null;
  readonly replyTo: string | null;
  readonly correlationId: string | null;
  /** The header `compression`, as kombu sets it. */
  readonly compression: string | null;
  readonly traceparent: string | null;
  /** 1 at first; goes up with each {@link retry}. */
  readonly attempt: number;
  /** How often this copy of it came back from a process that went away with it. */
  readonly redeliveries: number;
  /** When its publisher stops waiting, in epoch milliseconds; null for never. */
  readonly deadline: number | null;
  done(): void;
  /** Has it delivered again after a pause, which grows with the attempts up to a minute. Others are served meanwhile. */
  retry(): Promise<void>;
  /**
   * Moves it to the dead letters with `body` in place of its own, which may hold what is not to be kept. `notReplayable` says
   * why it is not to be put back as it is kept; null where it can be.
   */
  bury(reason: string, body: Buffer, notReplayable: string | null): Promise<void>;
}

/** A message for whoever sent a request. */
export interface ForeignReply {
  /** Empty for the exchange that knows every queue by its name. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly correlationId: string | null;
  readonly type: string;
  readonly body: string;
}

export interface ForeignRequestOptions {
  /** Requests that are handled at once. */
  readonly prefetch: number;
  /** Of a longer body only the beginning is kept, one byte longer than this: many of them at once would fill the memory. */
  readonly maxBodyBytes: number;
  /** Whether to take requests from the exchange that is not durable, too. Needs the right to make it. */
  readonly hasTransientExchange: boolean;
}

/** Requests of compute for snapshots, on a connection of its own that is made anew whenever it is lost. */
export interface ForeignRequests {
  /** Begins to connect, and to hand out what arrives. */
  open(take: (request: ForeignRequest) => void): void;
  isConnected(): boolean;
  /**
   * Sends a reply. False when no queue takes it, which is for good; rejects with BUS_UNAVAILABLE when it is not known to
   * have arrived.
   */
  reply(reply: ForeignReply): Promise<boolean>;
  /** Takes nothing more; what was handed out can still be replied to and acknowledged. */
  stopConsuming(): Promise<void>;
  close(): Promise<void>;
}

/** Where the requests come from: `url` names the RabbitMQ of compute, which may be another than the services' own. */
export type ForeignBus = BusOptions & { readonly requests: ForeignRequestOptions };

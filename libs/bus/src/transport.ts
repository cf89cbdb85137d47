import type { EventEnvelope } from '@glimpse/contracts';
import type { DeadLetters } from './dead-letters.js';

// What RabbitMQ and the in-process broker have to do; everything else is the same code for both.

/** Largest message; RabbitMQ 4 refuses more than 16 MiB. */
export const MAX_MESSAGE_BYTES = 15 * 1024 * 1024;

/** How long what is asked for right after the start waits for the first connection. */
export const FIRST_CONNECT_WAIT_MS = 3_000;

/** Calls on their way to a queue. */
export interface OutgoingEnvelope {
  readonly id: string;
  readonly queue: string;
  readonly body: string;
  /** After this time in the queue it is thrown away. */
  readonly expirationMs: number;
}

export interface OutgoingEvent extends Omit<EventEnvelope, 'payload'> {
  /** The payload, as JSON. */
  readonly data: string;
}

export interface ClientListener {
  connected(): void;
  /** What was sent and not answered never will be. */
  disconnected(): void;
  /** `isWritable` may have become true. */
  writable(): void;
  answered(body: string): void;
  /** No queue took the envelope. */
  unroutable(envelopeId: string): void;
}

/** The end of the bus that sends calls and events. */
export interface ClientLink {
  /** Begins to connect, and does so again for ever whenever the connection is lost. */
  open(listener: ClientListener): void;
  /** Connected, and the broker takes more. */
  isWritable(): boolean;
  /** Throws when it can't be sent. */
  send(envelope: OutgoingEnvelope): void;
  /** Resolves when the broker has stored the event in every queue that must have it; else rejects, within bounded time. */
  publish(event: OutgoingEvent): Promise<void>;
  /** Sends the event to those who listen now. One that can't be sent at once is dropped. */
  announce(event: OutgoingEvent): void;
  /** Takes the envelopes, as JSON, of the events of that name while connected, until the returned function is called. */
  listen(eventName: string, take: (body: string) => void): () => void;
  readonly deadLetters: DeadLetters;
  close(): Promise<void>;
}

/** An envelope that arrived. */
export interface RequestDelivery {
  readonly body: string;
  /** It was delivered before, to a process that went away with it. */
  readonly isRedelivered: boolean;
  /** Why its calls must not be carried out; null when they may. */
  readonly refusal: string | null;
  answer(body: string): void;
  /** Nothing of it is left to be done. */
  done(): void;
}

/** An event that arrived. It comes again, perhaps elsewhere, unless one of the three methods succeeds. */
export interface EventArrival {
  /** The envelope, as JSON. */
  readonly body: string;
  /** 1 for the first delivery. */
  readonly attempt: number;
  /** Why it must not be handled; null when it may. */
  readonly refusal: string | null;
  done(): void;
  /** Has it delivered again after `delayMs`, as the next attempt. */
  retry(delayMs: number): Promise<void>;
  /** Moves it to the dead letters. */
  bury(reason: string): Promise<void>;
}

export interface EventConsumption {
  readonly names: readonly string[];
  readonly take: (arrival: EventArrival) => void;
}

/** What a service consumes; null where it has no handler. */
export interface Consumption {
  readonly requests: ((delivery: RequestDelivery) => void) | null;
  readonly serviceEvents: EventConsumption | null;
  readonly instanceEvents: EventConsumption | null;
}

/** The end of the bus that handles calls and events. */
export interface ServerLink {
  /** Begins to connect and consume, again for ever whenever the connection is lost; resolves the first time it succeeds. */
  open(consumption: Consumption): Promise<void>;
  isConnected(): boolean;
  /** Takes nothing more; what was delivered can still be answered and acknowledged. */
  stopConsuming(): Promise<void>;
  /** Ends the connection when all answers and acknowledgements are with the broker. */
  close(): Promise<void>;
}

import { z } from 'zod';

/** A fact that a service announces: its name (the routing key) and the shape of its payload. */
export interface EventDefinition<Payload extends z.ZodType = z.ZodType> {
  readonly kind: 'event';
  /** In the past tense, e.g. `image.activated`. */
  readonly name: string;
  readonly payload: Payload;
}

export type PayloadOf<D extends EventDefinition> = z.output<D['payload']>;

/** Defines an event. */
export function event<Payload extends z.ZodType>(
  name: `${string}.${string}`,
  shapes: { payload: Payload },
): EventDefinition<Payload> {
  return { kind: 'event', name, payload: shapes.payload };
}

/** An event as it travels: consumers are idempotent by `id`. */
export const EventEnvelope = z.object({
  id: z.string(),
  name: z.string(),
  /** When the change was committed, ISO 8601 in UTC. */
  occurredAt: z.string(),
  /**
   * What the event is about (an image's or a job's id). Events of one subject are published in the order of their
   * commits; replicas and retries may handle them in another.
   */
  subject: z.string(),
  traceparent: z.string().optional(),
  payload: z.unknown(),
});
export type EventEnvelope = z.output<typeof EventEnvelope>;

/** An event whose payload was checked: what a handler receives. */
export interface ReceivedEvent<D extends EventDefinition = EventDefinition> extends Omit<
  EventEnvelope,
  'payload'
> {
  readonly payload: PayloadOf<D>;
}

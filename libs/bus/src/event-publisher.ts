import { type EventEnvelope, ServiceError, isServiceError } from '@glimpse/contracts';
import { counter, metricNames } from '@glimpse/observability';
import { Injectable } from '@nestjs/common';
import { type ClientLink, MAX_MESSAGE_BYTES } from './transport.js';

const published = counter({
  name: metricNames.eventsPublished,
  help: 'Events that were handed to the broker, by what became of it.',
  labelNames: ['name', 'outcome'],
});

/** Announces events. The only caller is who reads the outbox, so that no event is lost or precedes its commit. */
@Injectable()
export class EventPublisher {
  constructor(private readonly link: ClientLink) {}

  /**
   * Resolves when the broker has stored the event and every queue that subscribes to it has it. Rejects with
   * BUS_UNAVAILABLE otherwise, after a bounded time; then it may or may not have been delivered: publish it again.
   */
  async publish(envelope: EventEnvelope): Promise<void> {
    const { payload, ...attributes } = envelope;
    const data = JSON.stringify(payload);
    if (Buffer.byteLength(data) > MAX_MESSAGE_BYTES)
      throw new ServiceError('REQUEST_INVALID', `The event ${envelope.id} is too large for the bus`);
    try {
      await this.link.publish({ ...attributes, data });
      published.inc({ name: envelope.name, outcome: 'confirmed' });
    } catch (cause) {
      published.inc({ name: envelope.name, outcome: 'failed' });
      if (isServiceError(cause)) throw cause;
      throw new ServiceError('BUS_UNAVAILABLE', 'The event could not be published', { cause });
    }
  }
}

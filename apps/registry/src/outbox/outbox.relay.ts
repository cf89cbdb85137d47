import { EventPublisher } from '@glimpse/bus';
import { type EventEnvelope, isServiceError } from '@glimpse/contracts';
import { gauge, metricNames } from '@glimpse/observability';
import { Database, type OutboxRow, type Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { SingletonLeases } from '../leases/singleton-leases.js';
import { RegistrySettings } from '../registry-settings.js';
import { WebhookEvents } from '../webhooks/webhook-events.js';
import { OrderedRelay, type Sending } from './ordered-relay.js';
import { OutboxSignal } from './outbox-signal.js';

const unsent = gauge({
  name: metricNames.outboxUnsent,
  help: 'Events that were committed and are not published yet, up to the size of a batch.',
});

const toEnvelope = (row: OutboxRow): EventEnvelope => ({
  id: row.event_id,
  name: row.name,
  occurredAt: new Date(row.occurred_at).toISOString(),
  subject: row.subject,
  ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
  payload: JSON.parse(row.payload) as unknown,
});

/**
 * Publishes what the outbox holds: every event at least once, those of one subject in the order of their commits. One
 * registry does it at a time.
 */
@Injectable()
export class OutboxRelay extends OrderedRelay<OutboxRow> {
  constructor(
    database: Database,
    private readonly publisher: EventPublisher,
    leases: SingletonLeases,
    private readonly signal: OutboxSignal,
    private readonly webhooks: WebhookEvents,
    clock: Clock,
    settings: RegistrySettings,
  ) {
    const relayed = {
      name: 'outbox relay',
      lease: 'outbox-relay',
      table: 'outbox',
      columns: 'id, event_id, name, subject, payload, traceparent, occurred_at, sent_at',
      ...settings.config.outbox,
    } as const;
    super(relayed, { database, leases, clock, settings });
  }

  start(): void {
    this.signal.onRaise(() => this.repeater.wake());
    this.repeater.start(() => this.parts.settings.config.outbox.pollMs);
  }

  protected override measured(waiting: number): void {
    unsent.set(waiting);
  }

  protected override whenSent(tx: Transaction, rows: readonly OutboxRow[]): Promise<void> {
    return this.webhooks.add(tx, rows);
  }

  protected override async send(row: OutboxRow): Promise<Sending> {
    try {
      await this.publisher.publish(toEnvelope(row));
    } catch (error) {
      if (!isServiceError(error) || error.isRetryable) return { isDone: false, error, isTried: true };
      // The bus will never take it (too large); it must not hold up those behind it.
      const about = { err: error, eventId: row.event_id, event: row.name };
      this.parts.settings.logger.error(about, 'event dropped');
    }
    return { isDone: true };
  }
}

import { EventPublisher } from '@glimpse/bus';
import { type EventEnvelope, isServiceError } from '@glimpse/contracts';
import { gauge, metricNames } from '@glimpse/observability';
import { Database, type OutboxRow, placeholders } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { SingletonLeases } from '../leases/singleton-leases.js';
import { RegistrySettings } from '../registry-settings.js';
import { Repeater } from '../repeater.js';
import { OutboxSignal } from './outbox-signal.js';

const LEASE = 'outbox-relay';
const PRUNE_EVERY_MS = 60_000;
const PRUNE_BATCH = 1_000;

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

function groupBySubject(rows: readonly OutboxRow[]): Map<string, OutboxRow[]> {
  const groups = new Map<string, OutboxRow[]>();
  for (const row of rows) {
    const group = groups.get(row.subject);
    if (group === undefined) groups.set(row.subject, [row]);
    else group.push(row);
  }
  return groups;
}

/**
 * Publishes what the outbox holds: every event at least once, those of one subject in the order of their commits. One
 * registry does it at a time.
 */
@Injectable()
export class OutboxRelay {
  private readonly repeater: Repeater;
  private heldUntil = 0;
  private nextPrune = 0;

  constructor(
    private readonly database: Database,
    private readonly publisher: EventPublisher,
    private readonly leases: SingletonLeases,
    private readonly signal: OutboxSignal,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {
    this.repeater = new Repeater('outbox relay', settings.logger, () => this.relay());
  }

  start(): void {
    this.signal.onRaise(() => this.repeater.wake());
    this.repeater.start(() => this.settings.config.outbox.pollMs);
  }

  /** Publishes what is left, once, and lets another registry go on. */
  async stop(): Promise<void> {
    await this.repeater.stop();
    try {
      await this.relay();
      await this.leases.release(LEASE);
    } catch (error) {
      this.settings.logger.warn({ err: error }, 'events are left in the outbox for another registry');
    }
  }

  /** Publishes all that is due, if it is up to this registry; rejects where some of it could not be published. */
  async relay(): Promise<void> {
    if (!(await this.isMine())) return;
    let isMore = true;
    while (isMore && (await this.isMine())) isMore = await this.publishBatch();
    await this.prune();
  }

  /** Renews the lease when half of it has passed. */
  private async isMine(): Promise<boolean> {
    const now = this.clock.now();
    if (now + this.leases.leaseMs / 2 < this.heldUntil) return true;
    const isMine = await this.leases.hold(LEASE);
    this.heldUntil = isMine ? now + this.leases.leaseMs : 0;
    // The registry that publishes counts; what this one counted once would stand for ever.
    if (!isMine) unsent.set(0);
    return isMine;
  }

  /** Whether there may be more. */
  private async publishBatch(): Promise<boolean> {
    const { batchSize } = this.settings.config.outbox;
    const rows = await this.database.query<OutboxRow>(
      `SELECT id, event_id, name, subject, payload, traceparent, occurred_at, sent_at FROM outbox
        WHERE sent_at IS NULL ORDER BY id LIMIT ${batchSize}`,
    );
    unsent.set(rows.length);
    if (rows.length === 0) return false;
    const bySubject = groupBySubject(rows);
    const outcomes = await Promise.all([...bySubject.values()].map((events) => this.publishInOrder(events)));
    const sent = outcomes.flatMap((outcome) => outcome.sent);
    await this.markSent(sent);
    unsent.set(rows.length - sent.length);
    const failed = outcomes.find(({ error }) => error !== undefined);
    if (failed !== undefined) throw failed.error;
    return rows.length === batchSize;
  }

  /** Stops at the first that fails, so that none overtakes it. */
  private async publishInOrder(rows: readonly OutboxRow[]): Promise<{ sent: number[]; error?: unknown }> {
    const sent: number[] = [];
    for (const row of rows) {
      try {
        await this.publisher.publish(toEnvelope(row));
      } catch (error) {
        if (!isServiceError(error) || error.isRetryable) return { sent, error };
        // The bus will never take it (too large); it must not hold up those behind it.
        this.settings.logger.error({ err: error, eventId: row.event_id, event: row.name }, 'event dropped');
      }
      sent.push(row.id);
    }
    return { sent };
  }

  private async markSent(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    await this.database.unitOfWork.run((tx) =>
      tx.execute(`UPDATE outbox SET sent_at = ? WHERE id IN (${placeholders(ids)})`, [
        this.clock.now(),
        ...ids,
      ]),
    );
  }

  private async prune(): Promise<void> {
    const now = this.clock.now();
    if (now < this.nextPrune) return;
    const before = now - this.settings.config.outbox.retentionMs;
    const old = await this.database.query<Pick<OutboxRow, 'id'>>(
      `SELECT id FROM outbox WHERE sent_at < ? ORDER BY sent_at LIMIT ${PRUNE_BATCH}`,
      [before],
    );
    if (old.length > 0)
      await this.database.unitOfWork.run((tx) =>
        tx.execute(
          `DELETE FROM outbox WHERE id IN (${placeholders(old)})`,
          old.map(({ id }) => id),
        ),
      );
    // A full batch: there is more, so come back at the next turn.
    this.nextPrune = old.length === PRUNE_BATCH ? now : now + PRUNE_EVERY_MS;
  }
}

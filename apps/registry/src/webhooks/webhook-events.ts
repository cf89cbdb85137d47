import { isServiceError } from '@glimpse/contracts';
import {
  Database,
  type OutboxRow,
  type SqlCondition,
  type Transaction,
  type WebhookEventRow,
  placeholders,
} from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { OutboxSignal } from '../outbox/outbox-signal.js';
import { RegistrySettings } from '../registry-settings.js';
import { Repeater } from '../repeater.js';
import { isHeard } from './heard-event.js';
import { WebhookFanOut, dropped } from './webhook-fan-out.js';
import { takeWebhookLock } from './webhook-locks.js';

/** Events that are told in one transaction. */
const BATCH = 200;
/** The pauses after an event could not be told; behind the last it is dropped. */
const PAUSES_MS = [1_000, 10_000, 60_000, 300_000];

/** Tells `WebhookEvents` of this process that there is something to tell. */
@Injectable()
export class WebhookSignal extends OutboxSignal {}

/** The database is away: it is no event's fault. */
const isPassing = (error: unknown) => isServiceError(error) && error.isRetryable;

/**
 * Published events on their way to webhooks. They are copied beside the mark that they are published, and told in
 * transactions of their own: whatever goes wrong there holds up no other event of the service.
 */
@Injectable()
export class WebhookEvents {
  private readonly repeater: Repeater;
  private isStopping = false;

  constructor(
    private readonly database: Database,
    private readonly fanOut: WebhookFanOut,
    private readonly signal: WebhookSignal,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {
    this.repeater = new Repeater('webhook events', settings.logger, () => this.tellDue());
  }

  start(): void {
    this.signal.onRaise(() => this.repeater.wake());
    this.repeater.start(() => this.settings.config.outbox.pollMs);
  }

  /** What is left is told by another registry, or after the next start. */
  stop(): Promise<void> {
    this.isStopping = true;
    return this.repeater.stop();
  }

  /** Takes events, in the transaction that marks them as published; none where there are no webhooks. */
  async add(tx: Transaction, rows: readonly OutboxRow[]): Promise<void> {
    const heard = rows.filter(({ name }) => isHeard(name));
    if (!this.settings.config.webhooks.enabled || heard.length === 0) return;
    const some = await tx.query('SELECT id FROM webhooks WHERE is_enabled = 1 LIMIT 1');
    if (some.length === 0) return;
    // Another registry may have published them as well.
    const known = await tx.query<Pick<WebhookEventRow, 'event_id'>>(
      `SELECT event_id FROM webhook_events WHERE event_id IN (${placeholders(heard)})`,
      heard.map(({ event_id: id }) => id),
    );
    const seen = new Set(known.map(({ event_id: id }) => id));
    const added = heard.filter(({ event_id: id }) => !seen.has(id));
    await tx.insert(
      'webhook_events',
      added.map((row) => ({
        event_id: row.event_id,
        name: row.name,
        subject: row.subject,
        payload: row.payload,
        occurred_at: row.occurred_at,
      })),
    );
    tx.afterCommit(() => this.signal.raise());
  }

  /** Tells all that is due, unless another registry is at it. Rejects where the database is away. */
  async tellDue(): Promise<void> {
    if (!this.settings.config.webhooks.enabled) return;
    while (!this.isStopping && (await this.isSomethingDue())) {
      try {
        if (!(await this.tell({ sql: 'due_at <= ?', values: [this.clock.now()] }))) return;
      } catch (error) {
        if (isPassing(error)) throw error;
        await this.tellOneByOne();
      }
    }
  }

  /** Without a transaction, which would keep others from writing to SQLite. */
  private async isSomethingDue(): Promise<boolean> {
    const rows = await this.database.query('SELECT seq FROM webhook_events WHERE due_at <= ? LIMIT 1', [
      this.clock.now(),
    ]);
    return rows.length > 0;
  }

  /** Tells events, all of them or none. False while another registry does it, so that what is counted stays true. */
  private tell({ sql, values }: SqlCondition): Promise<boolean> {
    return this.database.unitOfWork.run(async (tx) => {
      if (!(await takeWebhookLock(tx, 'events'))) return false;
      const events = await tx.query<WebhookEventRow>(
        `SELECT * FROM webhook_events WHERE ${sql} ORDER BY seq LIMIT ${BATCH}`,
        values,
      );
      if (events.length === 0) return true;
      await this.fanOut.tell(tx, events);
      await tx.execute(
        `DELETE FROM webhook_events WHERE seq IN (${placeholders(events)})`,
        events.map(({ seq }) => seq),
      );
      return true;
    });
  }

  /** Finds the event that spoils the others. */
  private async tellOneByOne(): Promise<void> {
    const events = await this.database.query<WebhookEventRow>(
      `SELECT * FROM webhook_events WHERE due_at <= ? ORDER BY seq LIMIT ${BATCH}`,
      [this.clock.now()],
    );
    for (const event of events) {
      try {
        if (!(await this.tell({ sql: 'seq = ?', values: [event.seq] }))) return;
      } catch (error) {
        if (isPassing(error)) throw error;
        await this.setBack(event, error);
      }
    }
  }

  private async setBack({ seq, attempt, ...event }: WebhookEventRow, error: unknown): Promise<void> {
    const pauseMs = PAUSES_MS[attempt];
    const about = { err: error, eventId: event.event_id, event: event.name, attempt: attempt + 1 };
    const { logger } = this.settings;
    await this.database.unitOfWork.run(async (tx) => {
      if (pauseMs !== undefined) {
        const matched = await tx.execute(
          'UPDATE webhook_events SET attempt = attempt + 1, due_at = ? WHERE seq = ? AND attempt = ?',
          [this.clock.now() + pauseMs, seq, attempt],
        );
        if (matched > 0)
          tx.afterCommit(() => logger.warn({ ...about, pauseMs }, 'event not told to webhooks, it waits'));
        return;
      }
      const matched = await tx.execute('DELETE FROM webhook_events WHERE seq = ? AND attempt = ?', [
        seq,
        attempt,
      ]);
      if (matched > 0)
        tx.afterCommit(() => {
          logger.error(about, 'event dropped: it could not be told to webhooks');
          dropped.inc({ reason: 'failed' });
        });
    });
  }
}

import { gauge, metricNames } from '@glimpse/observability';
import { Database, type Transaction, placeholders } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { RegistrySettings } from '../registry-settings.js';
import { Repeater } from '../repeater.js';
import { WebhookEnd } from './webhook-end.js';
import { dropped } from './webhook-fan-out.js';

const EVERY_MS = 15_000;
const BATCH = 1_000;
/** A message may still be written for a webhook that was just deleted. */
const DELETED_FOR_MS = 60_000;

const waiting = gauge({
  name: metricNames.webhookDeliveriesWaiting,
  help: 'Messages to webhooks that were not taken yet.',
});
const untold = gauge({
  name: metricNames.webhookEventsWaiting,
  help: 'Events that were published and not yet told to webhooks.',
});
const oldest = gauge({
  name: metricNames.webhookOldestWaiting,
  help: 'Age of the oldest message to a webhook that was not taken yet, in seconds.',
});

/** Counts what waits, and forgets what ended or came long ago and the messages of webhooks that were deleted. */
@Injectable()
export class WebhookUpkeep {
  private readonly repeater: Repeater;

  constructor(
    private readonly database: Database,
    private readonly end: WebhookEnd,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {
    this.repeater = new Repeater('upkeep of webhooks', settings.logger, () => this.work());
  }

  start(): void {
    this.repeater.start(() => EVERY_MS);
  }

  stop(): Promise<void> {
    return this.repeater.stop();
  }

  /** Does it once. */
  async work(): Promise<void> {
    await this.endLate();
    await this.count();
    await this.forgetOld();
    await this.removeDeleted();
  }

  /** What was written for a webhook while it was being disabled. */
  private async endLate(): Promise<void> {
    const rows = await this.database.query<{ id: string }>(
      `SELECT w.id FROM webhooks w WHERE w.is_enabled = 0 AND w.deleted_at IS NULL
        AND EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.status = 'waiting')`,
    );
    for (const { id } of rows) await this.database.unitOfWork.run((tx) => this.end.failWaiting(tx, id));
  }

  private async count(): Promise<void> {
    const [row] = await this.database.query<{ waiting: number; since: number | null }>(
      `SELECT COUNT(*) AS waiting, MIN(created_at) AS since FROM webhook_deliveries
        WHERE status IN ('waiting', 'sending')`,
    );
    waiting.set(row?.waiting ?? 0);
    const [events] = await this.database.query<{ count: number }>(
      'SELECT COUNT(*) AS count FROM webhook_events',
    );
    untold.set(events?.count ?? 0);
    oldest.set(row?.since == null ? 0 : Math.max(0, (this.clock.now() - row.since) / 1_000));
  }

  private async forgetOld(): Promise<void> {
    const before = this.clock.now() - this.settings.config.webhooks.retentionMs;
    while ((await this.removeBatch('ended_at <= ?', before)) === BATCH);
    // Left by a registry that told nobody any more: nobody waits for them.
    let removed: number;
    do {
      removed = await this.removeBatch('occurred_at <= ?', before, 'webhook_events');
      dropped.inc({ reason: 'old' }, removed);
    } while (removed === BATCH);
  }

  private async removeDeleted(): Promise<void> {
    const rows = await this.database.query<{ id: string }>('SELECT id FROM webhooks WHERE deleted_at <= ?', [
      this.clock.now() - DELETED_FOR_MS,
    ]);
    for (const { id } of rows) {
      while ((await this.removeBatch('webhook_id = ?', id)) === BATCH);
      await this.database.unitOfWork.run((tx) => removeEmpty(tx, id));
    }
  }

  /** How many were removed; short transactions, so that nobody waits long for them. */
  private async removeBatch(
    condition: string,
    value: string | number,
    table: 'webhook_deliveries' | 'webhook_events' = 'webhook_deliveries',
  ): Promise<number> {
    const rows = await this.database.query<{ seq: number }>(
      `SELECT seq FROM ${table} WHERE ${condition} LIMIT ${BATCH}`,
      [value],
    );
    if (rows.length > 0)
      await this.database.unitOfWork.run((tx) =>
        tx.execute(
          `DELETE FROM ${table} WHERE seq IN (${placeholders(rows)})`,
          rows.map(({ seq }) => seq),
        ),
      );
    return rows.length;
  }
}

const removeEmpty = (tx: Transaction, id: string) =>
  tx.execute(
    `DELETE FROM webhooks WHERE id = ? AND deleted_at IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = webhooks.id)`,
    [id],
  );

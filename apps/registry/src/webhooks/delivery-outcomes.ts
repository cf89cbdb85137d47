import { type DeliveryOutcome, WEBHOOK_TEST_TYPE, webhookEvents } from '@glimpse/contracts';
import { counter, metricNames } from '@glimpse/observability';
import { Database, type Transaction, type WebhookDeliveryRow, type WebhookRow } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { RegistrySettings } from '../registry-settings.js';
import { type AfterAttempt, afterAttempt, describeOutcome } from './after-attempt.js';
import { WebhookEnd } from './webhook-end.js';

/** Characters of an error that are kept. */
const MAX_ERROR = 500;

const attempts = counter({
  name: metricNames.webhookDeliveries,
  help: 'Attempts at messages to webhooks by what came of them.',
  labelNames: ['outcome'],
});

type Target = Pick<WebhookRow, 'id' | 'project_id' | 'is_enabled' | 'failing_since'>;

/** What becomes of messages after an attempt to send them. */
@Injectable()
export class DeliveryOutcomes {
  constructor(
    private readonly database: Database,
    private readonly end: WebhookEnd,
    private readonly outbox: OutboxWriter,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** What a worker says of the attempt that it holds; `lost` where it does not hold it any more. Repeatable. */
  finish(id: string, leaseToken: string, outcome: DeliveryOutcome): Promise<'ok' | 'lost'> {
    return this.database.unitOfWork.run(async (tx) => {
      const [row] = await tx.query<WebhookDeliveryRow>(
        "SELECT * FROM webhook_deliveries WHERE id = ? AND lease_token = ? AND status = 'sending'",
        [id, leaseToken],
      );
      return row !== undefined && (await this.note(tx, row, outcome)) ? 'ok' : 'lost';
    });
  }

  /** Notes what came of the attempt that is going on; false where that has ended. */
  async note(tx: Transaction, row: WebhookDeliveryRow, outcome: DeliveryOutcome): Promise<boolean> {
    const [webhook] = await tx.query<Target>(
      `SELECT id, project_id, is_enabled, failing_since FROM webhooks WHERE id = ? AND deleted_at IS NULL`,
      [row.webhook_id],
    );
    const next = this.nextFor(row, webhook, outcome);
    const { status, error } = describeOutcome(outcome);
    const now = this.clock.now();
    const isOver = next.kind !== 'retry';
    const matched = await tx.execute(
      `UPDATE webhook_deliveries SET status = ?, due_at = ?, last_status = ?, last_error = ?, ended_at = ?,
              lease_owner = NULL, lease_token = NULL
        WHERE id = ? AND status = 'sending' AND lease_token = ?`,
      [
        isOver ? (next.kind === 'delivered' ? 'delivered' : 'failed') : 'waiting',
        isOver ? now : now + next.inMs,
        status,
        error?.slice(0, MAX_ERROR) ?? null,
        isOver ? now : null,
        row.id,
        row.lease_token,
      ],
    );
    if (matched === 0) return false;
    tx.afterCommit(() => attempts.inc({ outcome: next.kind === 'gone' ? 'failed' : next.kind }));
    if (webhook !== undefined) await this.noteOnWebhook(tx, webhook, row, next, outcome);
    return true;
  }

  /** Nothing is tried again that is a test, or of a webhook that is no more or was disabled meanwhile. */
  private nextFor(
    row: WebhookDeliveryRow,
    webhook: Target | undefined,
    outcome: DeliveryOutcome,
  ): AfterAttempt {
    const next = afterAttempt(outcome, row.attempt, this.settings.config.webhooks, Math.random());
    const isLast = row.type === WEBHOOK_TEST_TYPE || webhook?.is_enabled !== 1;
    return next.kind === 'retry' && isLast ? { kind: 'failed' } : next;
  }

  private async noteOnWebhook(
    tx: Transaction,
    webhook: Target,
    row: WebhookDeliveryRow,
    next: AfterAttempt,
    outcome: DeliveryOutcome,
  ): Promise<void> {
    if (next.kind === 'delivered') return this.noteSuccess(tx, webhook);
    if (next.kind !== 'retry') await this.announceFailure(tx, webhook, row, outcome);
    if (next.kind === 'gone') return this.end.disable(tx, webhook, 'gone');
    const now = this.clock.now();
    if (next.kind === 'retry' && next.pausesWebhook)
      await tx.execute('UPDATE webhooks SET paused_until = ? WHERE id = ?', [now + next.inMs, webhook.id]);
    const since = webhook.failing_since ?? now;
    await tx.execute('UPDATE webhooks SET failing_since = ? WHERE id = ? AND failing_since IS NULL', [
      since,
      webhook.id,
    ]);
    if (now - since >= this.settings.config.webhooks.disableAfterMs)
      await this.end.disable(tx, webhook, 'failing');
  }

  private async noteSuccess(tx: Transaction, webhook: Target): Promise<void> {
    if (webhook.failing_since === null) return;
    await tx.execute('UPDATE webhooks SET failing_since = NULL WHERE id = ?', [webhook.id]);
  }

  /** The dead letter: the message is kept as failed, and whoever looks after the cloud hears of it. */
  private async announceFailure(
    tx: Transaction,
    webhook: Target,
    row: WebhookDeliveryRow,
    outcome: DeliveryOutcome,
  ): Promise<void> {
    const { status, error } = describeOutcome(outcome);
    await this.outbox.write(tx, webhookEvents.deliveryFailed, webhook.id, {
      webhookId: webhook.id,
      projectId: webhook.project_id,
      deliveryId: row.id,
      messageId: row.event_id,
      type: row.type,
      attempts: row.attempt,
      lastStatus: status,
      error: error?.slice(0, MAX_ERROR) ?? null,
    });
  }
}

import { type WebhookDisabledReason, webhookEvents } from '@glimpse/contracts';
import { counter, metricNames } from '@glimpse/observability';
import type { Transaction, WebhookRow } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { RegistrySettings } from '../registry-settings.js';

const disabled = counter({
  name: metricNames.webhooksDisabled,
  help: 'Webhooks that were disabled and that nobody switched off.',
  labelNames: ['reason'],
});

const SWITCHED_OFF = 'The webhook was disabled before this was sent';

/** How webhooks come to an end that nobody switched off. */
@Injectable()
export class WebhookEnd {
  constructor(
    private readonly outbox: OutboxWriter,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** Disables the webhook, unless it is, and says so. */
  async disable(
    tx: Transaction,
    { id, project_id: projectId }: Pick<WebhookRow, 'id' | 'project_id'>,
    reason: WebhookDisabledReason,
  ): Promise<void> {
    const now = this.clock.now();
    const matched = await tx.execute(
      `UPDATE webhooks SET is_enabled = 0, disabled_reason = ?, disabled_at = ?, updated_at = ?
        WHERE id = ? AND is_enabled = 1 AND deleted_at IS NULL`,
      [reason, now, now, id],
    );
    if (matched === 0) return;
    await this.failWaiting(tx, id);
    await this.outbox.write(tx, webhookEvents.disabled, id, { webhookId: id, projectId, reason });
    tx.afterCommit(() => {
      disabled.inc({ reason });
      this.settings.logger.warn({ webhook: id, project: projectId, reason }, 'webhook disabled');
    });
  }

  /** What waits for a webhook that is disabled is not sent; its project may have it sent again. */
  async failWaiting(tx: Transaction, webhookId: string): Promise<void> {
    await tx.execute(
      `UPDATE webhook_deliveries SET status = 'failed', last_error = ?, ended_at = ?
        WHERE webhook_id = ? AND status = 'waiting'
          AND EXISTS (SELECT 1 FROM webhooks w WHERE w.id = ? AND w.is_enabled = 0)`,
      [SWITCHED_OFF, this.clock.now(), webhookId, webhookId],
    );
  }
}

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClaimedDelivery } from '@glimpse/contracts';
import { Database, type Transaction, type WebhookDeliveryRow, type WebhookRow } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { RegistrySettings } from '../registry-settings.js';
import { DeliveryOutcomes } from './delivery-outcomes.js';
import { takeWebhookLock } from './webhook-locks.js';
import { WebhookSecrets, signaturesOf } from './webhook-secrets.js';

/** Beyond the time that an attempt may take, until it counts as given up. */
const LEASE_MARGIN_MS = 45_000;
/** Messages of a webhook that are looked at for one that may go: those of one image follow each other. */
const CANDIDATES = 32;
/** Given up ones that one claim clears away. */
const LOST_BATCH = 100;

/** Another registry claims for a moment only. */
const ATTEMPTS = 10;
const PAUSE_MS = 20;

const LOST = 'The worker that sent it died';
const NO_SECRET = 'The secret can not be read: none of the keys in webhooks.secret_keys opens it';

type WaitingWebhook = Pick<
  WebhookRow,
  'id' | 'project_id' | 'host' | 'url' | 'secret' | 'previous_secret' | 'previous_until'
>;
type DueDelivery = Pick<
  WebhookDeliveryRow,
  'id' | 'event_id' | 'subject' | 'payload' | 'due_at' | 'attempt' | 'seq'
>;

/** How much more may be sent to each host and for each project. */
class Room {
  private readonly used = new Map<string, number>();

  constructor(private readonly bounds: { readonly perHost: number; readonly perProject: number }) {}

  take({ host, project_id: project }: Pick<WebhookRow, 'host' | 'project_id'>, count = 1): void {
    for (const key of [`host ${host}`, `project ${project}`])
      this.used.set(key, (this.used.get(key) ?? 0) + count);
  }

  /** At least 0. */
  left({ host, project_id: project }: Pick<WebhookRow, 'host' | 'project_id'>): number {
    const { perHost, perProject } = this.bounds;
    const ofHost = perHost - (this.used.get(`host ${host}`) ?? 0);
    return Math.max(0, Math.min(ofHost, perProject - (this.used.get(`project ${project}`) ?? 0)));
  }
}

/**
 * Hands messages to workers: by turns among the webhooks, and never more at once to one host or for one project than is
 * configured, so that a slow receiver holds up nobody but itself.
 */
@Injectable()
export class DeliveryClaims {
  constructor(
    private readonly database: Database,
    private readonly secrets: WebhookSecrets,
    private readonly outcomes: DeliveryOutcomes,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /**
   * Takes up to `limit` messages that are due, signed for this attempt. Each goes to one of those who ask at once; none where
   * another registry is at it for longer than a moment.
   */
  async claim(instanceId: string, limit: number): Promise<ClaimedDelivery[]> {
    if (!this.settings.config.webhooks.enabled || !(await this.isSomethingDue())) return [];
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const claimed = await this.claimAlone(instanceId, limit);
      if (claimed !== null) return claimed;
      await sleep(PAUSE_MS);
    }
    return [];
  }

  /** Null while another registry does it: what others have taken counts, so that the bounds hold over all of them. */
  private claimAlone(instanceId: string, limit: number): Promise<ClaimedDelivery[] | null> {
    return this.database.unitOfWork.run(async (tx) => {
      if (!(await takeWebhookLock(tx, 'claims'))) return null;
      await this.giveUpLost(tx);
      const room = await this.measureRoom(tx);
      const claimed: ClaimedDelivery[] = [];
      for (const webhook of await this.findTurns(tx)) {
        if (claimed.length >= limit) break;
        const most = Math.min(limit - claimed.length, room.left(webhook));
        if (most === 0) continue;
        const taken = await this.take(tx, webhook, most, instanceId);
        room.take(webhook, taken.length);
        claimed.push(...taken);
      }
      return claimed;
    });
  }

  /** Without a transaction, which would keep others from writing to SQLite every time that nothing is to do. */
  private async isSomethingDue(): Promise<boolean> {
    const now = this.clock.now();
    for (const status of ['waiting', 'sending']) {
      const rows = await this.database.query(
        'SELECT id FROM webhook_deliveries WHERE status = ? AND due_at <= ? LIMIT 1',
        [status, now],
      );
      if (rows.length > 0) return true;
    }
    return false;
  }

  /** Those whose worker did not come back: an attempt that failed. */
  private async giveUpLost(tx: Transaction): Promise<void> {
    const lost = await tx.queryUnclaimed<WebhookDeliveryRow>(
      `SELECT * FROM webhook_deliveries WHERE status = 'sending' AND due_at <= ? LIMIT ${LOST_BATCH}`,
      [this.clock.now()],
    );
    for (const row of lost) await this.outcomes.note(tx, row, { error: LOST });
  }

  private async measureRoom(tx: Transaction): Promise<Room> {
    const room = new Room(this.settings.config.webhooks);
    const rows = await tx.query<Pick<WebhookRow, 'host' | 'project_id'> & { sending: number }>(
      `SELECT w.host, w.project_id, COUNT(*) AS sending FROM webhook_deliveries d
        JOIN webhooks w ON w.id = d.webhook_id WHERE d.status = 'sending' GROUP BY w.host, w.project_id`,
    );
    for (const row of rows) room.take(row, row.sending);
    return room;
  }

  /** The webhooks with something due, the one that has waited for its turn the longest first. */
  private findTurns(tx: Transaction): Promise<WaitingWebhook[]> {
    const now = this.clock.now();
    return tx.query<WaitingWebhook>(
      `SELECT w.id, w.project_id, w.host, w.url, w.secret, w.previous_secret, w.previous_until FROM webhooks w
        WHERE w.is_enabled = 1 AND w.deleted_at IS NULL AND (w.paused_until IS NULL OR w.paused_until <= ?)
          AND EXISTS (SELECT 1 FROM webhook_deliveries d
                       WHERE d.webhook_id = w.id AND d.status = 'waiting' AND d.due_at <= ?)
        ORDER BY w.served_at, w.seq`,
      [now, now],
    );
  }

  private async take(
    tx: Transaction,
    webhook: WaitingWebhook,
    most: number,
    instanceId: string,
  ): Promise<ClaimedDelivery[]> {
    const now = this.clock.now();
    const busy = await tx.query<Pick<WebhookDeliveryRow, 'subject'>>(
      "SELECT subject FROM webhook_deliveries WHERE webhook_id = ? AND status = 'sending'",
      [webhook.id],
    );
    const subjects = new Set(busy.map(({ subject }) => subject));
    const due = await tx.queryUnclaimed<DueDelivery>(
      `SELECT id, event_id, subject, payload, due_at, attempt, seq FROM webhook_deliveries
        WHERE webhook_id = ? AND status = 'waiting' AND due_at <= ? ORDER BY due_at, seq LIMIT ${CANDIDATES}`,
      [webhook.id, now],
    );
    const taken: ClaimedDelivery[] = [];
    for (const delivery of due) {
      if (taken.length === most) break;
      // What is said of one image goes in its order, as long as nothing fails.
      if (subjects.has(delivery.subject)) continue;
      subjects.add(delivery.subject);
      const claimed = await this.takeOne(tx, webhook, delivery, instanceId);
      if (claimed !== undefined) taken.push(claimed);
    }
    await tx.execute('UPDATE webhooks SET served_at = ? WHERE id = ?', [now, webhook.id]);
    return taken;
  }

  private async takeOne(
    tx: Transaction,
    webhook: WaitingWebhook,
    delivery: DueDelivery,
    instanceId: string,
  ): Promise<ClaimedDelivery | undefined> {
    const now = this.clock.now();
    const leaseToken = randomUUID();
    const { timeoutMs } = this.settings.config.webhooks;
    const matched = await tx.execute(
      `UPDATE webhook_deliveries SET status = 'sending', attempt = attempt + 1, due_at = ?, lease_owner = ?,
              lease_token = ?, last_attempt_at = ?
        WHERE id = ? AND status = 'waiting' AND due_at = ?`,
      [now + timeoutMs + LEASE_MARGIN_MS, instanceId, leaseToken, now, delivery.id, delivery.due_at],
    );
    if (matched === 0) return undefined;
    const headers = this.headersFor(webhook, delivery, now);
    if (headers !== undefined)
      return {
        id: delivery.id,
        leaseToken,
        webhookId: webhook.id,
        url: webhook.url,
        headers,
        body: delivery.payload,
      };
    const [row] = await tx.query<WebhookDeliveryRow>('SELECT * FROM webhook_deliveries WHERE id = ?', [
      delivery.id,
    ]);
    if (row !== undefined) await this.outcomes.note(tx, row, { error: NO_SECRET });
    return undefined;
  }

  /** Those of Standard Webhooks; undefined where the secret can't be read. */
  private headersFor(
    webhook: WaitingWebhook,
    delivery: DueDelivery,
    now: number,
  ): Record<string, string> | undefined {
    const isOverlap = webhook.previous_until !== null && webhook.previous_until > now;
    const stored = [webhook.secret, isOverlap ? webhook.previous_secret : null].filter(
      (text) => text !== null,
    );
    const [secret, ...others] = stored.map((text) => this.secrets.open(text, webhook.id));
    if (secret === undefined) return undefined;
    const known = [secret, ...others.filter((text) => text !== undefined)];
    const message = {
      id: delivery.event_id,
      timestamp: Math.floor(now / 1_000),
      payload: delivery.payload,
    };
    return {
      'webhook-id': message.id,
      'webhook-timestamp': String(message.timestamp),
      'webhook-signature': signaturesOf(known, message),
    };
  }
}

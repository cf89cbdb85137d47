import {
  type Caller,
  ServiceError,
  type WebhookDelivery,
  type WebhookDeliveryStatus,
  WEBHOOK_TEST_TYPE,
} from '@glimpse/contracts';
import {
  Database,
  type SqlReader,
  type SqlValue,
  type Transaction,
  type WebhookDeliveryRow,
  type WebhookRow,
} from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { WebhookAccess } from './webhook-access.js';
import { WebhookFanOut } from './webhook-fan-out.js';
import { toDelivery } from './webhook-rows.js';

/** All but what was sent. */
const COLUMNS = `seq, id, webhook_id, event_id, type, subject, status, attempt, due_at, lease_owner, lease_token,
  last_status, last_error, last_attempt_at, created_at, ended_at`;

type ShownRow = Omit<WebhookDeliveryRow, 'payload'>;

/** A page of the deliveries of a webhook. */
export interface DeliveryPage {
  readonly limit: number;
  readonly marker?: string | undefined;
  readonly status?: WebhookDeliveryStatus | undefined;
}

/** What became of the messages to a webhook. */
@Injectable()
export class DeliveriesService {
  constructor(
    private readonly database: Database,
    private readonly access: WebhookAccess,
    private readonly fanOut: WebhookFanOut,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** Newest first. */
  async list(
    ctx: Caller,
    webhookId: string,
    page: DeliveryPage,
  ): Promise<{ deliveries: WebhookDelivery[]; isFullPage: boolean }> {
    await this.access.find(this.database, 'get_webhook', ctx, webhookId);
    const conditions = ['webhook_id = ?'];
    const values: SqlValue[] = [webhookId];
    if (page.status !== undefined) {
      conditions.push('status = ?');
      values.push(page.status);
    }
    if (page.marker !== undefined) {
      const marker = await findDelivery(this.database, webhookId, page.marker);
      if (marker === undefined)
        throw new ServiceError('MARKER_NOT_FOUND', `There is no delivery ${page.marker} to go on from`);
      conditions.push('seq < ?');
      values.push(marker.seq);
    }
    const rows = await this.database.query<ShownRow>(
      `SELECT ${COLUMNS} FROM webhook_deliveries WHERE ${conditions.join(' AND ')}
        ORDER BY seq DESC LIMIT ${page.limit}`,
      values,
    );
    return { deliveries: rows.map(toDelivery), isFullPage: page.limit > 0 && rows.length === page.limit };
  }

  /** Has it sent now, with all its attempts before it again; not while it is being sent. */
  retry(ctx: Caller, webhookId: string, deliveryId: string): Promise<WebhookDelivery> {
    return this.database.unitOfWork.run(async (tx) => {
      refuseDisabled(await this.access.find(tx, 'modify_webhook', ctx, webhookId));
      const matched = await tx.execute(
        `UPDATE webhook_deliveries SET status = 'waiting', attempt = 0, due_at = ?, ended_at = NULL
          WHERE id = ? AND webhook_id = ? AND status <> 'sending'`,
        [this.clock.now(), deliveryId, webhookId],
      );
      const row = await findDelivery(tx, webhookId, deliveryId);
      if (row === undefined)
        throw new ServiceError('WEBHOOK_NOT_FOUND', `The webhook has no delivery with ID ${deliveryId}`);
      if (matched === 0)
        throw new ServiceError('WEBHOOK_CONFLICT', `Delivery ${deliveryId} is being sent right now.`);
      this.fanOut.wake(tx);
      return this.noted(tx, ctx, row);
    });
  }

  /** Has a message sent that says nothing, unless one is about to be. */
  test(ctx: Caller, webhookId: string): Promise<WebhookDelivery> {
    return this.database.unitOfWork.run(async (tx) => {
      refuseDisabled(await this.access.find(tx, 'modify_webhook', ctx, webhookId));
      await refuseSecondTest(tx, webhookId);
      const id = await this.fanOut.test(tx, webhookId);
      const row = await findDelivery(tx, webhookId, id);
      if (row === undefined) throw new ServiceError('INTERNAL', `Delivery ${id} was not written`);
      return this.noted(tx, ctx, row);
    });
  }

  private async noted(tx: Transaction, ctx: Caller, row: ShownRow): Promise<WebhookDelivery> {
    await this.audit.changed(tx, ctx, { action: 'update', on: 'webhook', id: row.webhook_id });
    return toDelivery(row);
  }
}

function refuseDisabled({ id, is_enabled: isEnabled }: WebhookRow): void {
  if (isEnabled === 0)
    throw new ServiceError('WEBHOOK_CONFLICT', `Webhook ${id} is disabled: enable it before.`);
}

async function refuseSecondTest(tx: Transaction, webhookId: string): Promise<void> {
  // Of two at once the second one waits here, and sees the first.
  await tx.execute('UPDATE webhooks SET served_at = served_at WHERE id = ?', [webhookId]);
  const [earlier] = await tx.query<Pick<WebhookDeliveryRow, 'id'>>(
    `SELECT id FROM webhook_deliveries
      WHERE webhook_id = ? AND status IN ('waiting', 'sending') AND type = ? LIMIT 1`,
    [webhookId, WEBHOOK_TEST_TYPE],
  );
  if (earlier !== undefined)
    throw new ServiceError(
      'WEBHOOK_CONFLICT',
      `An earlier test of webhook ${webhookId} has not ended: see what becomes of delivery ${earlier.id} before you send another.`,
    );
}

async function findDelivery(sql: SqlReader, webhookId: string, id: string): Promise<ShownRow | undefined> {
  const [row] = await sql.query<ShownRow>(
    `SELECT ${COLUMNS} FROM webhook_deliveries WHERE id = ? AND webhook_id = ?`,
    [id, webhookId],
  );
  return row;
}

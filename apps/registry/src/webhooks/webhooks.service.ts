import { randomUUID } from 'node:crypto';
import {
  type Caller,
  type NewWebhook,
  ServiceError,
  type Webhook,
  type WebhookChanges,
  type WebhookWithSecret,
} from '@glimpse/contracts';
import {
  Database,
  type NewRow,
  type SqlValue,
  type Transaction,
  type WebhookRow,
} from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { ProjectQuotas } from '../quotas/project-quotas.js';
import { RegistrySettings } from '../registry-settings.js';
import { WebhookAccess } from './webhook-access.js';
import { WebhookEnd } from './webhook-end.js';
import { toWebhook } from './webhook-rows.js';
import { WebhookRules } from './webhook-rules.js';
import { WebhookSecrets, checkSecret, newSecret } from './webhook-secrets.js';

/** Longest time that an old secret is used beside a new one. */
const MAX_OVERLAP_SECONDS = 30 * 24 * 3_600;

/** A page of the list; with `projectId` an admin looks at that project alone. */
export interface WebhookPage {
  readonly limit: number;
  readonly marker?: string | undefined;
  readonly projectId?: string | undefined;
}

/** The webhooks of projects. */
@Injectable()
export class WebhooksService {
  constructor(
    private readonly database: Database,
    private readonly access: WebhookAccess,
    private readonly rules: WebhookRules,
    private readonly secrets: WebhookSecrets,
    private readonly end: WebhookEnd,
    private readonly quotas: ProjectQuotas,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  async create(ctx: Caller, wanted: NewWebhook): Promise<WebhookWithSecret> {
    this.access.enforce('add_webhook', ctx);
    const { projectId } = ctx;
    if (projectId === null) throw new ServiceError('ACTION_FORBIDDEN', 'A webhook belongs to a project.');
    const secret = wanted.secret ?? newSecret();
    checkSecret(secret);
    this.rules.checkDescription(wanted.description);
    const id = randomUUID();
    const now = this.clock.now();
    const row: NewRow<'webhooks'> = {
      id,
      project_id: projectId,
      user_id: ctx.userId,
      url: wanted.url,
      host: this.rules.checkUrl(wanted.url),
      description: wanted.description,
      event_types: JSON.stringify(this.rules.checkEventTypes(wanted.eventTypes)),
      secret: this.secrets.seal(secret, id),
      is_enabled: wanted.isEnabled ? 1 : 0,
      served_at: 0,
      created_at: now,
      updated_at: now,
    };
    return this.database.unitOfWork.run(async (tx) => {
      await this.checkQuota(tx, projectId);
      await tx.insert('webhooks', [row]);
      await this.audit.changed(tx, ctx, { action: 'create', on: 'webhook', id });
      return { webhook: await this.show(tx, id), secret };
    });
  }

  async list(ctx: Caller, page: WebhookPage): Promise<{ webhooks: Webhook[]; isFullPage: boolean }> {
    this.access.enforce('get_webhooks', ctx);
    const conditions = ['deleted_at IS NULL'];
    const values: SqlValue[] = [];
    const project = this.access.isAdmin(ctx) ? page.projectId : (ctx.projectId ?? '');
    if (project !== undefined) {
      conditions.push('project_id = ?');
      values.push(project);
    }
    if (page.marker !== undefined) {
      conditions.push('seq > ?');
      values.push(await this.seqOf(ctx, page.marker));
    }
    const rows = await this.database.query<WebhookRow>(
      `SELECT * FROM webhooks WHERE ${conditions.join(' AND ')} ORDER BY seq LIMIT ${page.limit}`,
      values,
    );
    const now = this.clock.now();
    return {
      webhooks: rows.map((row) => toWebhook(row, now)),
      isFullPage: page.limit > 0 && rows.length === page.limit,
    };
  }

  async get(ctx: Caller, id: string): Promise<Webhook> {
    return toWebhook(await this.access.find(this.database, 'get_webhook', ctx, id), this.clock.now());
  }

  /**
   * Enabled again it forgets why it was disabled, and since when it has failed. Switched off it hears nothing, and what
   * waits has failed.
   */
  update(ctx: Caller, id: string, changes: WebhookChanges): Promise<Webhook> {
    return this.database.unitOfWork.run(async (tx) => {
      await this.access.find(tx, 'modify_webhook', ctx, id);
      const set = this.columnsOf(changes);
      const columns = Object.keys(set).map((column) => `${column} = ?`);
      await tx.execute(`UPDATE webhooks SET ${[...columns, 'updated_at = ?'].join(', ')} WHERE id = ?`, [
        ...Object.values(set),
        this.clock.now(),
        id,
      ]);
      if (changes.isEnabled === false) await this.end.failWaiting(tx, id);
      await this.audit.changed(tx, ctx, { action: 'update', on: 'webhook', id });
      return this.show(tx, id);
    });
  }

  /** Nothing is sent any more; the deliveries go with it, a while later. */
  async delete(ctx: Caller, id: string): Promise<void> {
    await this.database.unitOfWork.run(async (tx) => {
      await this.access.find(tx, 'delete_webhook', ctx, id);
      await tx.execute(
        `UPDATE webhooks SET deleted_at = ?, is_enabled = 0, secret = '', previous_secret = NULL WHERE id = ?`,
        [this.clock.now(), id],
      );
      await this.audit.changed(tx, ctx, { action: 'delete', on: 'webhook', id });
    });
  }

  /** A new secret; the old one signs beside it for `overlapSeconds`. */
  async rotateSecret(
    ctx: Caller,
    id: string,
    {
      secret = newSecret(),
      overlapSeconds,
    }: { secret?: string | undefined; overlapSeconds?: number | undefined },
  ): Promise<WebhookWithSecret> {
    checkSecret(secret);
    if (overlapSeconds !== undefined && overlapSeconds > MAX_OVERLAP_SECONDS)
      throw new ServiceError(
        'REQUEST_INVALID',
        `Secrets overlap for at most ${MAX_OVERLAP_SECONDS} seconds.`,
      );
    const { rotationOverlapMs } = this.settings.config.webhooks;
    const overlapMs = overlapSeconds === undefined ? rotationOverlapMs : overlapSeconds * 1_000;
    return this.database.unitOfWork.run(async (tx) => {
      const row = await this.access.find(tx, 'modify_webhook', ctx, id);
      const now = this.clock.now();
      await tx.execute(
        'UPDATE webhooks SET secret = ?, previous_secret = ?, previous_until = ?, updated_at = ? WHERE id = ?',
        [
          this.secrets.seal(secret, id),
          overlapMs === 0 ? null : row.secret,
          overlapMs === 0 ? null : now + overlapMs,
          now,
          id,
        ],
      );
      await this.audit.changed(tx, ctx, { action: 'update', on: 'webhook', id });
      return { webhook: await this.show(tx, id), secret };
    });
  }

  private columnsOf({ url, eventTypes, description, isEnabled }: WebhookChanges): Partial<WebhookRow> {
    if (description !== undefined) this.rules.checkDescription(description);
    return {
      // What another receiver asked for, or failed at, says nothing of this one.
      ...(url === undefined
        ? {}
        : { url, host: this.rules.checkUrl(url), paused_until: null, failing_since: null }),
      ...(eventTypes === undefined
        ? {}
        : { event_types: JSON.stringify(this.rules.checkEventTypes(eventTypes)) }),
      ...(description === undefined ? {} : { description }),
      ...(isEnabled === undefined ? {} : { is_enabled: isEnabled ? 1 : 0 }),
      ...(isEnabled === true
        ? { disabled_reason: null, disabled_at: null, failing_since: null, paused_until: null }
        : {}),
    };
  }

  private async checkQuota(tx: Transaction, projectId: string): Promise<void> {
    const { maxPerProject } = this.settings.config.webhooks;
    // Of two at once the second counts the first.
    await this.quotas.hold(tx, projectId);
    const rows = await tx.query<{ id: string }>(
      'SELECT id FROM webhooks WHERE project_id = ? AND deleted_at IS NULL',
      [projectId],
    );
    if (rows.length >= maxPerProject)
      throw new ServiceError('QUOTA_EXCEEDED', `A project has at most ${maxPerProject} webhooks.`);
  }

  private async seqOf(ctx: Caller, marker: string): Promise<number> {
    try {
      return (await this.access.find(this.database, 'get_webhook', ctx, marker)).seq;
    } catch (error) {
      throw new ServiceError('MARKER_NOT_FOUND', `There is no webhook ${marker} to go on from`, {
        cause: error,
      });
    }
  }

  private async show(tx: Transaction, id: string): Promise<Webhook> {
    const [row] = await tx.query<WebhookRow>('SELECT * FROM webhooks WHERE id = ?', [id]);
    if (row === undefined) throw new ServiceError('WEBHOOK_NOT_FOUND', `No webhook found with ID ${id}`);
    return toWebhook(row, this.clock.now());
  }
}

import { type Caller, ServiceError } from '@glimpse/contracts';
import { type SqlReader, type WebhookRow } from '@glimpse/persistence';
import type { RuleName } from '@glimpse/policy';
import { Injectable } from '@nestjs/common';
import { PolicyRefusal } from '../policy/policy-refusal.js';
import { PolicyEngine } from '../policy/policy.engine.js';
import { RegistrySettings } from '../registry-settings.js';

const MAX_ID_LENGTH = 36;

const notFoundText = (id: string) => `No webhook found with ID ${id}`;

/** As rules see what belongs to a project. */
const ownedBy = (projectId: string | null) => ({ owner: projectId, visibility: 'private' as const });

/** Who may do what with which webhook. One of another project is not found. */
@Injectable()
export class WebhookAccess {
  constructor(
    private readonly policy: PolicyEngine,
    private readonly settings: RegistrySettings,
  ) {}

  /** Admins see the webhooks of all projects. */
  isAdmin(ctx: Caller): boolean {
    return this.policy.isAdmin(ctx);
  }

  /** For what is no one webhook: making one, and lists. */
  enforce(rule: 'add_webhook' | 'get_webhooks', ctx: Caller): void {
    this.refuseIfOff();
    this.policy.enforce(rule, ctx, ownedBy(ctx.projectId));
  }

  /** The webhook, where the rule allows the caller what it guards. */
  async find(sql: SqlReader, rule: RuleName, ctx: Caller, id: string): Promise<WebhookRow> {
    this.refuseIfOff();
    const row = await findWebhook(sql, id);
    if (row === undefined) throw new ServiceError('WEBHOOK_NOT_FOUND', notFoundText(id));
    const target = ownedBy(row.project_id);
    if (!this.policy.allows('get_webhook', ctx, target))
      throw new PolicyRefusal('WEBHOOK_NOT_FOUND', notFoundText(id), rule, id);
    this.policy.enforce(rule, ctx, target);
    return row;
  }

  private refuseIfOff(): void {
    if (!this.settings.config.webhooks.enabled)
      throw new ServiceError('ACTION_FORBIDDEN', 'This service has no webhooks.');
  }
}

async function findWebhook(sql: SqlReader, id: string): Promise<WebhookRow | undefined> {
  if (id.length > MAX_ID_LENGTH) return undefined;
  const [row] = await sql.query<WebhookRow>('SELECT * FROM webhooks WHERE id = ? AND deleted_at IS NULL', [
    id,
  ]);
  return row;
}

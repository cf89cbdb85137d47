import { randomUUID } from 'node:crypto';
import { type AuditRecord, type Caller, auditEvents } from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { RegistrySettings } from '../registry-settings.js';

/** CADF's names of what Glimpse keeps. */
export const auditTypes = {
  image: 'service/storage/image',
  member: 'service/storage/image/member',
  location: 'service/storage/image/location',
  tag: 'service/storage/image/tag',
  data: 'service/storage/image/file',
  task: 'service/storage/task',
  metadef: 'service/storage/metadef',
} as const;

export interface AuditedAction {
  /** CADF's taxonomy: `create`, `update`, `delete`, `read`, `enable`, `disable`. */
  readonly action: string;
  readonly on: keyof typeof auditTypes;
  /** The id of the image, of the task, or the path of the metadef (`<namespace>/objects/<name>`). */
  readonly id: string;
}

/** Writes down who changed what, with the change itself. */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly outbox: OutboxWriter,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** Notes a change that `tx` makes: it is in the trail when, and only when, the change is committed. */
  async changed(tx: Transaction, ctx: Caller, action: AuditedAction): Promise<void> {
    await this.outbox.write(tx, auditEvents.recorded, action.id, this.recordOf(ctx, action));
  }

  private recordOf(ctx: Caller, { action, on, id }: AuditedAction): AuditRecord {
    return {
      typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
      eventType: 'activity',
      id: randomUUID(),
      eventTime: new Date(this.clock.now()).toISOString(),
      action,
      outcome: 'success',
      initiator: {
        typeURI: 'service/security/account/user',
        id: ctx.userId ?? 'anonymous',
        ...(ctx.userName === undefined ? {} : { name: ctx.userName }),
        ...(ctx.projectId === null ? {} : { project_id: ctx.projectId }),
        ...(ctx.domainId === null ? {} : { domain_id: ctx.domainId }),
        ...(ctx.address === undefined ? {} : { host: { address: ctx.address } }),
      },
      target: { typeURI: auditTypes[on], id },
      observer: { typeURI: 'service/storage/image', id: this.settings.instanceId },
      tags: [`request_id:${ctx.requestId}`],
    };
  }
}

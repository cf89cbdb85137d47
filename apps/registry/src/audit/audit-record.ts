import { randomUUID } from 'node:crypto';
import type { AuditRecord, Caller } from '@glimpse/contracts';

/** CADF's names of what Glimpse keeps. */
export const auditTypes = {
  image: 'service/storage/image',
  member: 'service/storage/image/member',
  location: 'service/storage/image/location',
  tag: 'service/storage/image/tag',
  data: 'service/storage/image/file',
  task: 'service/storage/task',
  metadef: 'service/storage/metadef',
  cache: 'service/storage/image/cache',
  store: 'service/storage/image/store',
  webhook: 'service/storage/image/webhook',
} as const;

export interface AuditedAction {
  /** CADF's taxonomy: `create`, `update`, `delete`, `read`, `enable`, `disable`. */
  readonly action: string;
  readonly on: keyof typeof auditTypes;
  /** The id of the image, of the task, or the path of the metadef (`<namespace>/objects/<name>`). */
  readonly id: string;
}

/** What else is known of an attempt that failed. */
export interface AuditedFailure {
  readonly reason: NonNullable<AuditRecord['reason']>;
  readonly tags: readonly string[];
}

interface Observed {
  readonly ctx: Caller;
  readonly atMs: number;
  /** The instance that saw it. */
  readonly observer: string;
  readonly failure?: AuditedFailure;
}

/** Who did what, or tried to: a record of the CADF. */
export function auditRecord({ action, on, id }: AuditedAction, observed: Observed): AuditRecord {
  const { ctx, failure } = observed;
  return {
    typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
    eventType: 'activity',
    id: randomUUID(),
    eventTime: new Date(observed.atMs).toISOString(),
    action,
    outcome: failure === undefined ? 'success' : 'failure',
    ...(failure === undefined ? {} : { reason: failure.reason }),
    initiator: {
      typeURI: 'service/security/account/user',
      id: ctx.userId ?? 'anonymous',
      ...(ctx.userName === undefined ? {} : { name: ctx.userName }),
      ...(ctx.projectId === null ? {} : { project_id: ctx.projectId }),
      ...(ctx.domainId === null ? {} : { domain_id: ctx.domainId }),
      ...(ctx.address === undefined ? {} : { host: { address: ctx.address } }),
    },
    target: { typeURI: auditTypes[on], id },
    observer: { typeURI: 'service/storage/image', id: observed.observer },
    tags: [`request_id:${ctx.requestId}`, ...(failure?.tags ?? [])],
  };
}

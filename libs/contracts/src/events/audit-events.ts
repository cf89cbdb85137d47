import { z } from 'zod';
import { event } from '../event.js';

const AuditResource = z.object({
  /** CADF's resource taxonomy, e.g. `service/storage/image`. */
  typeURI: z.string(),
  id: z.string(),
  name: z.string().optional(),
});

/** Who did what, or tried to, on what, with which outcome, from where: an event of the CADF (DSP0262). */
export const AuditRecord = z.object({
  typeURI: z.literal('http://schemas.dmtf.org/cloud/audit/1.0/event'),
  eventType: z.literal('activity'),
  id: z.string(),
  /** ISO 8601, UTC. */
  eventTime: z.string(),
  /** CADF's action taxonomy: `create`, `update`, `delete`, `read`, `enable`, `disable`, `update/add`, … */
  action: z.string(),
  outcome: z.enum(['success', 'failure']),
  /** Why it failed: an error code and, where a policy decided, its rule. */
  reason: z.object({ reasonCode: z.string(), policyId: z.string().optional() }).optional(),
  initiator: AuditResource.extend({
    project_id: z.string().optional(),
    domain_id: z.string().optional(),
    host: z.object({ address: z.string() }).optional(),
  }),
  target: AuditResource,
  observer: AuditResource,
  requestPath: z.string().optional(),
  tags: z.array(z.string()).optional(),
});
export type AuditRecord = z.output<typeof AuditRecord>;

/** For whoever has to know later; the subject is the id of the target. */
export const auditEvents = {
  recorded: event('audit.recorded', { payload: AuditRecord }),
} as const;

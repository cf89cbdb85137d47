import {
  type NewWebhook,
  ServiceError,
  type Webhook,
  type WebhookChanges,
  type WebhookDelivery,
  webhookDeliveryStatuses,
  webhookDisabledReasons,
} from '@glimpse/contracts';
import { z } from 'zod';

const described = <S extends z.ZodType>(schema: S, description: string) => schema.meta({ description });
const moment = (description: string) => described(z.iso.datetime().nullable(), description);

const url = described(z.string(), 'Where messages are sent, by POST.');
const eventTypes = described(
  z.array(z.string()),
  'Types of events, and patterns of them: `image.activated`, `image.*`, `*`.',
);
const description = described(z.string().nullable(), 'For people.');
const enabled = described(z.boolean(), 'Whether messages are sent.');
const secret = described(
  z.string(),
  'The key of the signatures, as Standard Webhooks has it: `whsec_` and 24 to 64 bytes in base64.',
);

/** A webhook as clients see it. */
export const WebhookDocument = z
  .object({
    id: z.string(),
    project_id: z.string(),
    url,
    event_types: eventTypes,
    description,
    enabled,
    disabled_reason: described(
      z.enum(webhookDisabledReasons).nullable(),
      'Why it was disabled that nobody switched off: its receiver answered 410 (`gone`), took nothing for days (`failing`) or is too far behind (`overflow`).',
    ),
    disabled_at: moment('When that was.'),
    failing_since: moment('Since when no message was taken; null while they are.'),
    previous_secret_until: moment(
      'Until when messages are signed with the secret before the present one too.',
    ),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    self: z.string(),
  })
  .meta({ id: 'Webhook' });

/** As it is answered to whoever gave it a secret, this once. */
export const WebhookWithSecretDocument = WebhookDocument.extend({ secret }).meta({ id: 'WebhookWithSecret' });

export const WebhookList = z
  .object({ webhooks: z.array(WebhookDocument), first: z.string(), next: z.string().optional() })
  .meta({ id: 'Webhooks' });

/** What `POST /v2/webhooks` takes. */
export const NewWebhookBody = z
  .strictObject({
    url,
    event_types: eventTypes,
    description: description.optional(),
    enabled: enabled.optional(),
    secret: secret.optional(),
  })
  .meta({ id: 'NewWebhook' });

/** What `PATCH /v2/webhooks/{id}` takes; what is left out stays as it is. */
export const WebhookPatchBody = z
  .strictObject({ url, event_types: eventTypes, description, enabled })
  .partial()
  .meta({ id: 'WebhookPatch' });

/** What `POST /v2/webhooks/{id}/rotate-secret` takes. */
export const RotationBody = z
  .strictObject({
    secret: secret.optional(),
    overlap_seconds: described(
      z.int().min(0).optional(),
      'How long messages are signed with the old secret too; 0 where it became known to others.',
    ),
  })
  .meta({ id: 'WebhookSecretRotation' });

/** A message to a webhook, and what became of it. */
export const DeliveryDocument = z
  .object({
    id: z.string(),
    webhook_id: z.string(),
    message_id: described(z.string(), 'The `webhook-id` of the message, the same at each attempt.'),
    type: z.string(),
    subject: described(z.string(), 'What the message is about: the id of an image, of a task.'),
    status: z.enum(webhookDeliveryStatuses),
    attempts: z.int(),
    last_status: described(z.int().nullable(), 'The HTTP status of the last answer.'),
    last_error: described(z.string().nullable(), 'Why the last attempt came to nothing.'),
    last_attempt_at: moment('When it was sent last.'),
    next_attempt_at: moment('When it is sent next.'),
    ended_at: moment('When it was taken, or given up.'),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'WebhookDelivery' });

export const DeliveryList = z
  .object({ deliveries: z.array(DeliveryDocument), first: z.string(), next: z.string().optional() })
  .meta({ id: 'WebhookDeliveries' });

export const webhookPath = (id: string): string => `/v2/webhooks/${encodeURIComponent(id)}`;

export const toWebhookView = (webhook: Webhook): z.output<typeof WebhookDocument> => ({
  id: webhook.id,
  project_id: webhook.projectId,
  url: webhook.url,
  event_types: webhook.eventTypes,
  description: webhook.description,
  enabled: webhook.isEnabled,
  disabled_reason: webhook.disabledReason,
  disabled_at: webhook.disabledAt,
  failing_since: webhook.failingSince,
  previous_secret_until: webhook.previousSecretUntil,
  created_at: webhook.createdAt,
  updated_at: webhook.updatedAt,
  self: webhookPath(webhook.id),
});

export const toDeliveryView = (delivery: WebhookDelivery): z.output<typeof DeliveryDocument> => ({
  id: delivery.id,
  webhook_id: delivery.webhookId,
  message_id: delivery.messageId,
  type: delivery.type,
  subject: delivery.subject,
  status: delivery.status,
  attempts: delivery.attempts,
  last_status: delivery.lastStatus,
  last_error: delivery.lastError,
  last_attempt_at: delivery.lastAttemptAt,
  next_attempt_at: delivery.nextAttemptAt,
  ended_at: delivery.endedAt,
  created_at: delivery.createdAt,
});

/** Throws REQUEST_INVALID, which names the member and never its value: that may be a secret. */
function parse<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ServiceError('REQUEST_INVALID', `${issue?.path.join('.') || 'The body'}: ${issue?.message}`);
}

/** Throws REQUEST_INVALID. */
export function parseNewWebhook(body: unknown): NewWebhook {
  const given = parse(NewWebhookBody, body);
  return {
    url: given.url,
    eventTypes: given.event_types,
    description: given.description ?? null,
    isEnabled: given.enabled ?? true,
    ...(given.secret === undefined ? {} : { secret: given.secret }),
  };
}

/** Throws REQUEST_INVALID. */
export function parseWebhookPatch(body: unknown): WebhookChanges {
  const given = parse(WebhookPatchBody, body);
  return {
    ...(given.url === undefined ? {} : { url: given.url }),
    ...(given.event_types === undefined ? {} : { eventTypes: given.event_types }),
    ...(given.description === undefined ? {} : { description: given.description }),
    ...(given.enabled === undefined ? {} : { isEnabled: given.enabled }),
  };
}

/** Throws REQUEST_INVALID. Without a body the secret is made, and the configured overlap counts. */
export function parseRotation(body: unknown): { secret?: string; overlapSeconds?: number } {
  const { secret: given, overlap_seconds: overlapSeconds } = parse(RotationBody, body ?? {});
  return {
    ...(given === undefined ? {} : { secret: given }),
    ...(overlapSeconds === undefined ? {} : { overlapSeconds }),
  };
}

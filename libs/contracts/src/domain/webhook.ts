import { z } from 'zod';

/** What a project can be told of: facts about its own images, its tasks, its snapshots and its webhooks. */
export const webhookEventTypes = [
  'image.created',
  'image.updated',
  'image.activated',
  'image.upload_failed',
  'image.deactivated',
  'image.reactivated',
  'image.deleted',
  'image.member.created',
  'image.member.updated',
  'image.member.deleted',
  'snapshot.accepted',
  'snapshot.completed',
  'snapshot.failed',
  'snapshot.cancelled',
  'task.succeeded',
  'task.failed',
  'webhook.disabled',
] as const;
export type WebhookEventType = (typeof webhookEventTypes)[number];

/** Of a message that somebody asked for, to try a webhook. */
export const WEBHOOK_TEST_TYPE = 'webhook.test';

/** Whether the pattern of a webhook (`image.activated`, `image.*`, `*`) stands for the type. */
export const isEventTypeNamed = (pattern: string, type: string): boolean =>
  pattern === type || (pattern.endsWith('*') && type.startsWith(pattern.slice(0, -1)));

/** Whether the text is a type, or a pattern of some: a star for all, or behind a dot. */
export const isEventTypePattern = (text: string): boolean =>
  /^(\*|[a-z_.]+?(\.\*)?)$/.test(text) && webhookEventTypes.some((type) => isEventTypeNamed(text, type));

/** Why a webhook was disabled that nobody switched off. */
export const webhookDisabledReasons = ['gone', 'failing', 'overflow'] as const;
export const WebhookDisabledReason = z.enum(webhookDisabledReasons);
export type WebhookDisabledReason = z.output<typeof WebhookDisabledReason>;

const Moment = z.iso.datetime();

/** Where a project wants to be told of what happens; its secret is shown by nothing but what made it. */
export const Webhook = z.object({
  id: z.string(),
  projectId: z.string(),
  url: z.string(),
  description: z.string().nullable(),
  eventTypes: z.array(z.string()),
  isEnabled: z.boolean(),
  disabledReason: WebhookDisabledReason.nullable(),
  disabledAt: Moment.nullable(),
  /** Since when no message was taken. */
  failingSince: Moment.nullable(),
  /** Until when messages are signed with the secret before the present one too. */
  previousSecretUntil: Moment.nullable(),
  createdAt: Moment,
  updatedAt: Moment,
});
export type Webhook = z.output<typeof Webhook>;

/** A webhook with the secret that it has from now on. */
export const WebhookWithSecret = z.object({ webhook: Webhook, secret: z.string() });
export type WebhookWithSecret = z.output<typeof WebhookWithSecret>;

/** What a client asks for; the registry knows the limits. */
export const NewWebhook = z.object({
  url: z.string(),
  eventTypes: z.array(z.string()),
  description: z.string().nullable(),
  isEnabled: z.boolean(),
  /** `whsec_` and 24 to 64 bytes in base64; made by the registry where it is left out. */
  secret: z.string().optional(),
});
export type NewWebhook = z.output<typeof NewWebhook>;

/** What is left out stays as it is. */
export const WebhookChanges = NewWebhook.omit({ secret: true }).partial();
export type WebhookChanges = z.output<typeof WebhookChanges>;

export const webhookDeliveryStatuses = ['waiting', 'sending', 'delivered', 'failed'] as const;
export const WebhookDeliveryStatus = z.enum(webhookDeliveryStatuses);
export type WebhookDeliveryStatus = z.output<typeof WebhookDeliveryStatus>;

/** A message to a webhook, and what became of it. */
export const WebhookDelivery = z.object({
  id: z.string(),
  webhookId: z.string(),
  /** The `webhook-id` of the message: the same however often it is sent. */
  messageId: z.string(),
  type: z.string(),
  /** What the message is about: an image, a task. */
  subject: z.string(),
  status: WebhookDeliveryStatus,
  attempts: z.int(),
  /** The HTTP status of the last answer. */
  lastStatus: z.int().nullable(),
  lastError: z.string().nullable(),
  lastAttemptAt: Moment.nullable(),
  nextAttemptAt: Moment.nullable(),
  endedAt: Moment.nullable(),
  createdAt: Moment,
});
export type WebhookDelivery = z.output<typeof WebhookDelivery>;

/** A message that a worker is to send now, signed for this attempt. */
export const ClaimedDelivery = z.object({
  id: z.string(),
  leaseToken: z.string(),
  webhookId: z.string(),
  url: z.string(),
  headers: z.record(z.string(), z.string()),
  /** JSON, to the letter what was signed. */
  body: z.string(),
});
export type ClaimedDelivery = z.output<typeof ClaimedDelivery>;

/** What came of an attempt: an answer, or why there is none. */
export const DeliveryOutcome = z.union([
  z.object({
    status: z.int(),
    /** What `Retry-After` asks for. */
    retryAfterSeconds: z.int().min(0).optional(),
  }),
  z.object({ error: z.string() }),
]);
export type DeliveryOutcome = z.output<typeof DeliveryOutcome>;

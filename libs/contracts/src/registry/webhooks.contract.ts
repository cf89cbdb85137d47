import { z } from 'zod';
import { Caller } from '../domain/caller.js';
import {
  ClaimedDelivery,
  DeliveryOutcome,
  NewWebhook,
  Webhook,
  WebhookChanges,
  WebhookDelivery,
  WebhookDeliveryStatus,
  WebhookWithSecret,
} from '../domain/webhook.js';
import { rpc } from '../rpc.js';

/** Messages in one claim at most: what they weigh together stays small on the bus. */
export const MAX_CLAIMED_DELIVERIES = 16;

const OnWebhook = z.object({ ctx: Caller, id: z.string() });
const OnDelivery = OnWebhook.extend({ deliveryId: z.string() });
const Page = z.object({ limit: z.int().min(0), marker: z.string().optional() });

/** All of them throw ACTION_FORBIDDEN where webhooks are switched off or the policy refuses. */
export const registryWebhooks = {
  /** Codes: REQUEST_INVALID, QUOTA_EXCEEDED. */
  create: rpc('registry.webhook.create', {
    request: z.object({ ctx: Caller, webhook: NewWebhook }),
    response: WebhookWithSecret,
  }),
  /** Those of the caller's project, of admins those of all; the oldest first. Codes: MARKER_NOT_FOUND. */
  list: rpc('registry.webhook.list', {
    request: Page.extend({ ctx: Caller, projectId: z.string().optional() }),
    response: z.object({ webhooks: z.array(Webhook), isFullPage: z.boolean() }),
  }),
  /** Codes: WEBHOOK_NOT_FOUND. */
  get: rpc('registry.webhook.get', { request: OnWebhook, response: Webhook }),
  /** Codes: WEBHOOK_NOT_FOUND, REQUEST_INVALID. */
  update: rpc('registry.webhook.update', {
    request: OnWebhook.extend({ changes: WebhookChanges }),
    response: Webhook,
  }),
  /** Codes: WEBHOOK_NOT_FOUND. */
  delete: rpc('registry.webhook.delete', { request: OnWebhook, response: z.object({}) }),
  /** Messages are signed with both secrets for a while. Codes: WEBHOOK_NOT_FOUND, REQUEST_INVALID. */
  rotateSecret: rpc('registry.webhook.rotateSecret', {
    request: OnWebhook.extend({
      secret: z.string().optional(),
      overlapSeconds: z.int().min(0).optional(),
    }),
    response: WebhookWithSecret,
  }),
  /** Has a message sent that says nothing. Codes: WEBHOOK_NOT_FOUND, WEBHOOK_CONFLICT. */
  test: rpc('registry.webhook.test', { request: OnWebhook, response: WebhookDelivery }),
  /** Newest first. Codes: WEBHOOK_NOT_FOUND, MARKER_NOT_FOUND. */
  listDeliveries: rpc('registry.webhook.listDeliveries', {
    request: OnWebhook.extend({ ...Page.shape, status: WebhookDeliveryStatus.optional() }),
    response: z.object({ deliveries: z.array(WebhookDelivery), isFullPage: z.boolean() }),
  }),
  /** Has a message sent now that failed, waits or was taken. Codes: WEBHOOK_NOT_FOUND, WEBHOOK_CONFLICT. */
  retryDelivery: rpc('registry.webhook.retryDelivery', { request: OnDelivery, response: WebhookDelivery }),
} as const;

/** For workers. */
export const registryWebhookDeliveries = {
  /** Takes messages that are due. */
  claim: rpc('registry.webhookDelivery.claim', {
    request: z.object({
      instanceId: z.string(),
      limit: z.int().min(1).max(MAX_CLAIMED_DELIVERIES),
    }),
    response: z.object({ deliveries: z.array(ClaimedDelivery) }),
  }),
  /** The registry decides whether the message is sent again, and when. `lost`: it is another worker's by now. */
  finish: rpc('registry.webhookDelivery.finish', {
    request: z.object({ id: z.string(), leaseToken: z.string(), outcome: DeliveryOutcome }),
    response: z.object({ outcome: z.enum(['ok', 'lost']) }),
  }),
} as const;

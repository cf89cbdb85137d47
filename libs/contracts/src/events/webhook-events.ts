import { z } from 'zod';
import { WebhookDisabledReason } from '../domain/webhook.js';
import { event } from '../event.js';

const OfWebhook = z.object({ webhookId: z.string(), projectId: z.string() });

/** Facts about webhooks; the subject is the webhook's id. */
export const webhookEvents = {
  /** A live event: there are messages to send. Losing it costs a few seconds, no more. */
  due: event('webhook.due', { payload: z.object({}) }),
  /** Its receiver is gone, failed for too long or is too far behind; its owner may enable it again. */
  disabled: event('webhook.disabled', { payload: OfWebhook.extend({ reason: WebhookDisabledReason }) }),
  /** Every attempt at a message is used up; it is kept for a while, and can be sent again. */
  deliveryFailed: event('webhook.delivery_failed', {
    payload: OfWebhook.extend({
      deliveryId: z.string(),
      messageId: z.string(),
      type: z.string(),
      attempts: z.int(),
      lastStatus: z.int().nullable(),
      error: z.string().nullable(),
    }),
  }),
} as const;

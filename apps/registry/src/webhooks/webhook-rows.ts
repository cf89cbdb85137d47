import {
  type Webhook,
  type WebhookDelivery,
  WebhookDeliveryStatus,
  WebhookDisabledReason,
} from '@glimpse/contracts';
import type { WebhookDeliveryRow, WebhookRow } from '@glimpse/persistence';
import { z } from 'zod';

const iso = (time: number) => new Date(time).toISOString();
const isoOrNull = (time: number | null) => (time === null ? null : iso(time));
const EventTypes = z.array(z.string());

/** The types, and patterns of them, that a webhook hears of. */
export const eventTypesOf = ({ event_types: text }: Pick<WebhookRow, 'event_types'>): string[] =>
  EventTypes.parse(JSON.parse(text));

/** A webhook as its project sees it at the time `now`. */
export const toWebhook = (row: WebhookRow, now: number): Webhook => ({
  id: row.id,
  projectId: row.project_id,
  url: row.url,
  description: row.description,
  eventTypes: eventTypesOf(row),
  isEnabled: row.is_enabled === 1,
  disabledReason: row.disabled_reason === null ? null : WebhookDisabledReason.parse(row.disabled_reason),
  disabledAt: isoOrNull(row.disabled_at),
  failingSince: isoOrNull(row.failing_since),
  previousSecretUntil:
    row.previous_until === null || row.previous_until <= now ? null : iso(row.previous_until),
  createdAt: iso(row.created_at),
  updatedAt: iso(row.updated_at),
});

/** A delivery as the project of its webhook sees it; without what was sent. */
export function toDelivery(row: Omit<WebhookDeliveryRow, 'payload'>): WebhookDelivery {
  const status = WebhookDeliveryStatus.parse(row.status);
  return {
    id: row.id,
    webhookId: row.webhook_id,
    messageId: row.event_id,
    type: row.type,
    subject: row.subject,
    status,
    attempts: row.attempt,
    lastStatus: row.last_status,
    lastError: row.last_error,
    lastAttemptAt: isoOrNull(row.last_attempt_at),
    nextAttemptAt: status === 'waiting' ? iso(row.due_at) : null,
    endedAt: isoOrNull(row.ended_at),
    createdAt: iso(row.created_at),
  };
}

import type { Flag } from './flag.js';

/** Where a project wants to be told of what happens. Times are epoch milliseconds. */
export interface WebhookRow {
  /** The order of creation. */
  seq: number;
  id: string;
  project_id: string;
  user_id: string | null;
  url: string;
  /** Of the URL. */
  host: string;
  description: string | null;
  /** JSON: types and patterns of them. */
  event_types: string;
  /** As it is, or encrypted. */
  secret: string;
  /** The one before it, and until when messages are signed with that too. */
  previous_secret: string | null;
  previous_until: number | null;
  is_enabled: Flag;
  /** Why it was disabled that nobody switched off, and when. */
  disabled_reason: string | null;
  disabled_at: number | null;
  /** Since when no message was taken. */
  failing_since: number | null;
  /** Until when the receiver wants to hear nothing. */
  paused_until: number | null;
  /** When workers last took messages of it: the one that waits longest has the next turn. */
  served_at: number;
  created_at: number;
  updated_at: number;
  /** Its deliveries are being removed, and then it is. */
  deleted_at: number | null;
}

/** A message to a webhook, and what became of it. */
export interface WebhookDeliveryRow {
  /** The order of creation. */
  seq: number;
  id: string;
  webhook_id: string;
  /** The event; the same for every webhook that hears of it, and unique for each. */
  event_id: string;
  type: string;
  subject: string;
  /** JSON, to the letter what is sent. */
  payload: string;
  /** `waiting`, `sending`, `delivered` or `failed`. */
  status: string;
  /** Attempts so far. */
  attempt: number;
  /** While it waits when it is to be sent, while it is sent when that counts as given up. */
  due_at: number;
  lease_owner: string | null;
  lease_token: string | null;
  last_status: number | null;
  last_error: string | null;
  last_attempt_at: number | null;
  created_at: number;
  ended_at: number | null;
  /** The other project that brought it about; null where the webhook's own did. */
  source_project: string | null;
}

/** An event that was published and is to be told to webhooks. */
export interface WebhookEventRow {
  /** The order of publishing. */
  seq: number;
  event_id: string;
  name: string;
  subject: string;
  /** JSON. */
  payload: string;
  occurred_at: number;
  /** Times that it could not be told, and when it is tried again. */
  attempt: number;
  due_at: number;
}

/** What one transaction at a time does, by name: whoever has locked the row does it. */
export interface WebhookLockRow {
  name: string;
}

/** The tables of webhooks, by name. */
export interface WebhookTables {
  webhooks: WebhookRow;
  webhook_deliveries: WebhookDeliveryRow;
  webhook_events: WebhookEventRow;
  webhook_locks: WebhookLockRow;
}

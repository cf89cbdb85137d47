import { randomUUID } from 'node:crypto';
import type { Config } from '@glimpse/config';
import type { NotificationRow } from '@glimpse/persistence';

/** UTC as Python writes it: a blank between date and time, no zone, and no fraction where that is zero. */
export function pythonTime(epochMs: number): string {
  const [date = '', time = ''] = new Date(epochMs).toISOString().split('T');
  const fraction = epochMs % 1000 === 0 ? '' : `${time.slice(8, 12)}000`;
  return `${date} ${time.slice(0, 8)}${fraction}`;
}

/** What a consumer's endpoint gets to see. */
export const notificationOf = (row: NotificationRow, publisherId: string) => ({
  message_id: row.message_id,
  publisher_id: publisherId,
  event_type: row.event_type,
  priority: row.priority,
  payload: JSON.parse(row.payload) as unknown,
  timestamp: pythonTime(row.occurred_at),
});

/**
 * The body of a message of oslo.messaging, in its envelope with the driver `messagingv2`. Each call makes another
 * `_unique_id`, by which consumers drop what they have seen just before; the `message_id` stays.
 */
export function osloMessage(row: NotificationRow, { driver, publisherId }: Config['notifications']): string {
  const uniqueId = randomUUID().replaceAll('-', '');
  const inner = JSON.stringify({ ...notificationOf(row, publisherId), _unique_id: uniqueId });
  return driver === 'messaging' ? inner : JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': inner });
}

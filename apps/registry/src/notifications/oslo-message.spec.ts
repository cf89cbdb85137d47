import { loadConfig } from '@glimpse/config';
import type { NotificationRow } from '@glimpse/persistence';
import { describe, expect, it } from '@jest/globals';
import { osloMessage, pythonTime } from './oslo-message.js';

const row: NotificationRow = {
  id: 1,
  message_id: '78b8ec8a-f1e5-4d8e-8f0a-000000000001',
  event_type: 'image.create',
  priority: 'INFO',
  subject: 'i1',
  payload: '{"id":"i1","name":"ä"}',
  occurred_at: Date.UTC(2026, 10, 22, 9, 4, 19, 394),
  attempts: 0,
  held_until: null,
  sent_at: null,
};
const options = (driver: string) =>
  loadConfig({
    GLIMPSE_NOTIFICATIONS_DRIVER: driver,
    GLIMPSE_NOTIFICATIONS_TRANSPORT_URL: 'amqp://u:p@h/v',
  }).notifications;

describe('the message of a notification', () => {
  it('is JSON in JSON', () => {
    const envelope = JSON.parse(osloMessage(row, options('messagingv2'))) as Record<string, string>;

    expect(Object.keys(envelope)).toEqual(['oslo.version', 'oslo.message']);
    expect(envelope['oslo.version']).toBe('2.0');
    expect(JSON.parse(envelope['oslo.message'] ?? '')).toEqual({
      message_id: row.message_id,
      publisher_id: 'image.localhost',
      event_type: 'image.create',
      priority: 'INFO',
      payload: { id: 'i1', name: 'ä' },
      timestamp: '2026-11-22 09:04:19.394000',
      _unique_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  it('has no envelope with the older driver', () => {
    const message = JSON.parse(osloMessage(row, options('messaging'))) as Record<string, unknown>;

    expect(message).toMatchObject({ event_type: 'image.create', payload: { id: 'i1' } });
  });

  it('is another one each time, of the same id', () => {
    const [one, two] = [osloMessage(row, options('messaging')), osloMessage(row, options('messaging'))];

    expect(one).not.toBe(two);
    expect(JSON.parse(two)).toHaveProperty('message_id', row.message_id);
  });

  it('has times as Python writes them', () => {
    expect(pythonTime(Date.UTC(2026, 0, 2, 3, 4, 5))).toBe('2026-01-02 03:04:05');
    expect(pythonTime(Date.UTC(2026, 0, 2, 3, 4, 5, 7))).toBe('2026-01-02 03:04:05.007000');
  });
});

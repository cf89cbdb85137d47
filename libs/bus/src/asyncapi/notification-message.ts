import { type JsonObject, notificationTypes } from '@glimpse/contracts';

const inner = {
  message_id: '78b8ec8a-f1e5-4a6a-9d40-1d0a7a0f6a57',
  publisher_id: 'image.localhost',
  event_type: 'image.delete',
  priority: 'INFO',
  payload: { id: '07852720-2197-4f0f-9f5e-3f4f2b1d6c7a', status: 'deleted', deleted: true },
  timestamp: '2026-11-22 09:04:19.394137',
  _unique_id: '7d23d4a390c84f0d8f1c1f5a6f1b2c3d',
};

/** A notification of oslo.messaging, whose content is JSON in a text. */
export const notificationMessage: JsonObject = {
  name: 'notification',
  summary: `As Glance notifies: ${notificationTypes.join(', ')}.`,
  contentType: 'application/json',
  payload: {
    type: 'object',
    required: ['oslo.version', 'oslo.message'],
    properties: {
      'oslo.version': { const: '2.0' },
      'oslo.message': {
        type: 'string',
        contentMediaType: 'application/json',
        description:
          'An object with message_id, publisher_id, event_type, priority (INFO or ERROR), payload, timestamp and _unique_id.',
      },
    },
  },
  examples: [{ name: 'deleted', payload: { 'oslo.version': '2.0', 'oslo.message': JSON.stringify(inner) } }],
};

import type { JsonObject } from '@glimpse/contracts';
import { cloudEventProperties } from '../rabbitmq/cloud-event.js';

const ATTRIBUTES: JsonObject = {
  specversion: { const: '1.0' },
  id: { type: 'string', description: 'The same again is the same event again.' },
  source: { type: 'string', description: 'Who publishes: the setting `bus.event_source`.' },
  time: { type: 'string', format: 'date-time', description: 'When the change was made.' },
  traceparent: { type: 'string', description: 'W3C Trace Context of what led to it; not always there.' },
};

/** JSON Schema of the headers that an event of that name is published with. */
export function cloudEventHeadersSchema(name: string, subject: string): JsonObject {
  const envelope = { id: '', name, occurredAt: new Date(0).toISOString(), subject: '' };
  const { headers = {} } = cloudEventProperties(envelope, '') as { headers?: Record<string, unknown> };
  const describe = (header: string, value: unknown) => {
    const attribute = header.replace(/^cloudEvents_/, '');
    if (attribute === 'subject') return { type: 'string', description: subject };
    return ATTRIBUTES[attribute] ?? { const: value };
  };
  return {
    type: 'object',
    required: Object.keys(headers),
    properties: {
      ...Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, describe(key, value)])),
      cloudEvents_traceparent: ATTRIBUTES['traceparent'],
    },
  };
}

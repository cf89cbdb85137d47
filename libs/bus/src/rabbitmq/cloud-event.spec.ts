import type { MessageProperties } from 'amqplib';
import { describe, expect, it } from '@jest/globals';
import { cloudEventHeaders, cloudEventProperties, envelopeText } from './cloud-event.js';

const event = {
  id: 'e1',
  name: 'image.activated',
  occurredAt: '2026-01-02T03:04:05.006Z',
  subject: 'i1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};
const received = (headers: Record<string, unknown>) => ({ headers }) as unknown as MessageProperties;

describe('an event on RabbitMQ', () => {
  it('is a CloudEvent in binary mode', () => {
    expect(cloudEventProperties(event, '/cloud')).toEqual({
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      messageId: 'e1',
      type: 'image.activated',
      timestamp: 1_767_323_045,
      headers: {
        cloudEvents_specversion: '1.0',
        cloudEvents_id: 'e1',
        cloudEvents_source: '/cloud',
        cloudEvents_type: 'image.activated',
        cloudEvents_subject: 'i1',
        cloudEvents_time: event.occurredAt,
        cloudEvents_dataschema: 'urn:glimpse:event:image.activated:1',
        cloudEvents_traceparent: event.traceparent,
      },
    });
  });

  it('is read as what it was, with either separator', () => {
    const { headers } = cloudEventProperties(event, '/cloud') as { headers: Record<string, unknown> };
    const others = Object.entries(headers).map(([name, value]) => [name.replace('_', ':'), value] as const);

    for (const given of [headers, Object.fromEntries(others)])
      expect(JSON.parse(envelopeText(received(given), Buffer.from('{"a":1}')))).toEqual({
        ...event,
        payload: { a: 1 },
      });
  });

  it('is read as earlier releases published it', () => {
    const text = JSON.stringify({ ...event, payload: {} });

    expect(envelopeText(received({}), Buffer.from(text))).toBe(text);
  });

  it('keeps its attributes, and no other headers, where it is put aside', () => {
    expect(
      cloudEventHeaders(received({ cloudEvents_id: 'e1', 'cloudEvents:type': 't', 'x-death': [] })),
    ).toEqual({ cloudEvents_id: 'e1', 'cloudEvents:type': 't' });
  });
});

import type { ForeignRequest } from '@glimpse/bus';
import { osloCallExamples } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import { BrokenMessage } from './broken-message.js';
import { readMessage } from './read-message.js';

const aMessage = (body: object): ForeignRequest => ({
  body: Buffer.from(JSON.stringify(body)),
  publisher: 'nova',
  replyTo: null,
  correlationId: null,
  compression: null,
  traceparent: null,
  attempt: 1,
  redeliveries: 0,
  deadline: null,
  done: () => undefined,
  retry: () => Promise.resolve(),
  bury: () => Promise.resolve(),
});

const options = { maxMessageBytes: 10_000, replyQueues: ['reply_'] };

const aCall = (more: object) =>
  aMessage({
    'oslo.version': '2.0',
    'oslo.message': JSON.stringify({
      method: 'get_snapshot',
      args: { request_id: 'r' },
      _msg_id: 'id',
      _reply_q: 'reply_1',
      ...more,
    }),
  });

describe('readMessage', () => {
  it('reads where an answer goes', () => {
    expect(readMessage(aCall({}), options).replyTo).toEqual({
      exchange: '',
      routingKey: 'reply_1',
      correlationId: 'id',
      form: 'oslo',
    });
  });

  it.each(Object.entries(osloCallExamples))('reads the call of the documents: %s', (_name, call) => {
    expect(readMessage(aCall(call), options)).toMatchObject({
      requestId: expect.any(String),
      stated: { projectId: '7c1f0a52d3f94a0d8f1c1f5a6f1b2c3d', roles: ['member'] },
      replyTo: { routingKey: call['_reply_q'], correlationId: call['_msg_id'], form: 'oslo' },
    });
  });

  it('keeps a call so that it can be carried out again, unless it had secrets', () => {
    const context = { _context_project_id: 'p', _context_roles: ['member'], _context_catalog: ['any'] };
    const { kept } = readMessage(aCall({ ...context, _context_auth_token: null }), options);
    const again = readMessage({ ...aMessage({}), body: Buffer.from(kept.text) }, options);

    expect(kept.lost).toEqual([]);
    expect(again).toMatchObject({ requestId: 'r', stated: { projectId: 'p', roles: ['member'] } });
    expect(readMessage(aCall({ _context_auth_token: 't' }), options).kept.lost).toEqual([
      '_context_auth_token',
    ]);
  });

  it.each([
    ['_msg_id', '€'.repeat(100)],
    ['_reply_q', `reply_${'€'.repeat(100)}`],
  ])('refuses a %s that no reply could be sent with', (name, value) => {
    expect(() => readMessage(aCall({ [name]: value }), options)).toThrow(BrokenMessage);
  });
});

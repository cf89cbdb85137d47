import type { ForeignRequest } from '@glimpse/bus';
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

  it.each([
    ['_msg_id', '€'.repeat(100)],
    ['_reply_q', `reply_${'€'.repeat(100)}`],
  ])('refuses a %s that no reply could be sent with', (name, value) => {
    expect(() => readMessage(aCall({ [name]: value }), options)).toThrow(BrokenMessage);
  });
});

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@glimpse/config';
import type { ClaimedDelivery } from '@glimpse/contracts';
import { type AnswerMessage, WebhookReceiver } from '@glimpse/testing';
import { AllowedAddresses } from '../import/allowed-addresses.js';
import { WebhookSender, retryAfterOf } from './webhook-sender.js';

type Resolve = NonNullable<ConstructorParameters<typeof AllowedAddresses>[1]>;

/** A resolver that answers every name with these addresses, in turn. */
const resolving = (...answers: string[]): Resolve => {
  let asked = 0;
  const resolve = (_name: string, _options: object, callback: (...args: unknown[]) => void) => {
    const address = answers[Math.min(asked, answers.length - 1)] ?? '';
    asked += 1;
    callback(null, [{ address, family: 4 }]);
  };
  return resolve as unknown as Resolve;
};

describe('WebhookSender', () => {
  let receiver: WebhookReceiver;
  const senders: WebhookSender[] = [];
  beforeEach(async () => {
    receiver = await WebhookReceiver.start();
  });
  afterEach(async () => {
    await Promise.all(senders.splice(0).map((sender) => sender.close()));
    await receiver.close();
  });

  const aSender = (more: { allowed?: string[]; timeoutMs?: number; resolve?: Resolve } = {}) => {
    const options = {
      ...loadConfig({}).webhooks,
      allowedSchemes: ['http', 'https'],
      allowedPorts: [],
      timeoutMs: more.timeoutMs ?? 10_000,
    };
    const sender = new WebhookSender(
      options,
      new AllowedAddresses(more.allowed ?? ['127.0.0.1'], more.resolve),
    );
    senders.push(sender);
    return sender;
  };
  const aMessage = (url = receiver.urlOf('/hook')): ClaimedDelivery => ({
    id: 'd1',
    leaseToken: 't1',
    webhookId: 'w1',
    url,
    headers: { 'webhook-id': 'm1', 'webhook-timestamp': '1', 'webhook-signature': 'v1,abc' },
    body: '{"type":"image.created"}',
  });
  const answering =
    (status: number, headers: Record<string, string> = {}): AnswerMessage =>
    (_message, response) =>
      response.writeHead(status, headers).end('x');

  it('posts the message to the letter, with its headers', async () => {
    expect(await aSender().send(aMessage(receiver.urlOf('/hook?a=1')))).toEqual({ status: 204 });

    expect(receiver.received).toMatchObject([
      {
        method: 'POST',
        path: '/hook?a=1',
        body: '{"type":"image.created"}',
        headers: {
          'content-type': 'application/json',
          'webhook-id': 'm1',
          'webhook-timestamp': '1',
          'webhook-signature': 'v1,abc',
        },
      },
    ]);
  });

  it.each([200, 400, 410, 500])('tells what was answered: %i', async (status) => {
    receiver.answer = answering(status);

    expect(await aSender().send(aMessage())).toEqual({ status });
  });

  it('follows no redirect', async () => {
    receiver.answer = answering(307, { location: receiver.urlOf('/other') });

    expect(await aSender().send(aMessage())).toEqual({ status: 307 });
    expect(receiver.received).toHaveLength(1);
  });

  it('tells how long the receiver asks to wait', async () => {
    receiver.answer = answering(429, { 'retry-after': '120' });

    expect(await aSender().send(aMessage())).toEqual({ status: 429, retryAfterSeconds: 120 });
  });

  it('reads no more than a little of an answer that never ends', async () => {
    let sent = 0;
    receiver.answer = (_message, response) => {
      response.writeHead(200);
      const more = () => {
        const piece = randomBytes(65_536);
        let isTaken = true;
        while (isTaken && !response.destroyed) {
          sent += piece.length;
          isTaken = response.write(piece);
        }
        response.once('drain', more);
      };
      more();
    };

    expect(await aSender().send(aMessage())).toEqual({ status: 200 });
    expect(sent).toBeLessThan(64 * 1_024 * 1_024);
  });

  it('takes an answer whose body never comes for what its status says', async () => {
    receiver.answer = (_message, response) => {
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('x');
    };

    expect(await aSender().send(aMessage())).toEqual({ status: 200 });
  });

  it('gives up a receiver that does not answer in time', async () => {
    receiver.answer = () => undefined;

    expect(await aSender({ timeoutMs: 300 }).send(aMessage())).toEqual({
      error: 'The receiver did not answer in time',
    });
  });

  it('tells of a receiver that breaks off or is not there, without its URL', async () => {
    receiver.answer = (_message, response) => response.destroy();
    const { error } = (await aSender().send(aMessage(receiver.urlOf('/secret')))) as { error: string };
    expect(error).toMatch(/^The receiver can not be reached \([A-Z_]+\)$/);

    const nowhere = await aSender().send(aMessage('http://127.0.0.1:1/secret'));
    expect(nowhere).toEqual({ error: 'The receiver can not be reached (ECONNREFUSED)' });
  });

  it.each([
    'http://127.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://169.254.169.254/latest/meta-data',
    'http://10.0.0.1/',
    'http://0.0.0.0/',
    'http://localhost/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://127.1/',
    'file:///etc/passwd',
  ])('sends nothing to %s', async (url) => {
    expect(await aSender({ allowed: [] }).send(aMessage(url))).toEqual({
      error: 'The URL leads to an address that nothing is sent to',
    });
  });

  it('connects to the address that it looked at, each time anew', async () => {
    const port = new URL(receiver.urlOf()).port;
    const sender = aSender({ resolve: resolving('127.0.0.1', '10.0.0.1') });
    const message = aMessage(`http://name.test:${port}/hook`);

    expect(await sender.send(message)).toEqual({ status: 204 });
    expect(await sender.send(message)).toEqual({
      error: 'The URL leads to an address that nothing is sent to',
    });
    expect(receiver.received).toHaveLength(1);
  });
});

describe('retryAfterOf', () => {
  const NOW = Date.UTC(2026, 0, 1, 12, 0, 0);

  it.each<[string | string[] | undefined, number | undefined]>([
    ['0', 0],
    [' 30 ', 30],
    ['Thu, 01 Jan 2026 12:01:00 GMT', 60],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
    ['-5', undefined],
    ['2026-01-01', undefined],
    ['soon', undefined],
    ['99999999999999', undefined],
    [['1', '2'], undefined],
    [undefined, undefined],
  ])('reads %j as %j', (header, seconds) => {
    expect(retryAfterOf(header, NOW)).toBe(seconds);
  });
});

import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from '@glimpse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventStream } from './event-stream.js';

const MESSAGES = 2_000;
const FILLER = 'x'.repeat(10_000);
const message = (number: number) => ({ event: 'progress', id: String(number), data: `${number} ${FILLER}` });

describe('EventStream', () => {
  let server: Server;
  let response: ServerResponse;
  let answer: IncomingMessage;
  let stream: EventStream;
  let isClosed: boolean;
  beforeEach(async () => {
    isClosed = false;
    server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const asked = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
    const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
    const answered = once(request, 'response') as Promise<[IncomingMessage]>;
    [, response] = await asked;
    stream = new EventStream(response, () => {
      isClosed = true;
    });
    [answer] = await answered;
    answer.on('error', () => undefined);
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  it('keeps only the latest of a subject for a client that does not read', async () => {
    for (let number = 1; number <= MESSAGES; number += 1) stream.send('one', message(number));
    expect(response.writableLength).toBeLessThan(100_000);

    let text = '';
    answer.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });

    await waitFor('the latest message', () => text.includes(`id: ${MESSAGES}\n`));
    expect(text.match(/^id: /gm)?.length).toBeLessThan(MESSAGES / 2);
  });

  it('ends with a last message, and says that it is closed', async () => {
    let text = '';
    answer.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });

    stream.end({ event: 'end', id: 'end', data: '{}' });
    await once(answer, 'end');

    expect(text).toBe('retry: 2000\n\nevent: end\nid: end\ndata: {}\n\n');
    await waitFor('the end', () => isClosed);
  });
});

import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@glimpse/config';
import { AllowedAddresses } from './allowed-addresses.js';
import { GlanceSource } from './glance-source.js';
import { WebRequests } from './web-request.js';
import { WebSource } from './web-source.js';

const DATA = Buffer.from('the data of an image');
const SHA256 = createHash('sha256').update(DATA).digest('hex');

/** The image service of another region, which says what a test wants. */
describe('GlanceSource', () => {
  let server: Server;
  let url: string;
  let requests: WebRequests;
  let tokens: unknown[];
  let answer: (path: string, response: ServerResponse) => void;
  const imageId = randomUUID();
  const image = {
    status: 'active',
    size: DATA.length,
    disk_format: 'raw',
    container_format: 'bare',
    os_hash_algo: 'sha256',
    os_hash_value: SHA256,
    hw_model: 'q35',
    other: 'stays there',
    hw_number: 1,
  };
  const answersWith = (document: unknown) => {
    answer = (path, response) => {
      response.end(path.endsWith('/file') ? DATA : JSON.stringify(document));
    };
  };

  beforeEach(async () => {
    tokens = [];
    answersWith(image);
    server = createServer((request, response) => {
      tokens.push(request.headers['x-auth-token']);
      answer(request.url ?? '', response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const options = { ...loadConfig({}).import.webDownload, allowedPorts: [], maxRedirects: 0 };
    requests = new WebRequests(options, new AllowedAddresses(['127.0.0.0/8']));
  });
  afterEach(async () => {
    await requests.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const open = (documentTimeoutMs?: number) => {
    const web = new WebSource(requests, { maxResumes: 0, totalTimeoutMs: 60_000 });
    const source = new GlanceSource(requests, web, ['hw_'], documentTimeoutMs);
    return source.open({ kind: 'glance', url, imageId, token: 'tkn' }, new AbortController().signal);
  };

  it('opens the data, with what is known of it', async () => {
    const { data, size, digests, description } = await open();

    expect(Buffer.concat(await data.toArray())).toEqual(DATA);
    expect({ size, digests: [...(digests ?? [])] }).toEqual({
      size: DATA.length,
      digests: [['sha256', SHA256]],
    });
    expect(description).toEqual({
      diskFormat: 'raw',
      containerFormat: 'bare',
      properties: { hw_model: 'q35' },
    });
    expect(tokens).toEqual(['tkn', 'tkn']);
  });

  it.each<[string, unknown, string]>([
    ['is not active', { ...image, status: 'queued' }, 'must be active'],
    ['has no formats', { ...image, disk_format: null }, 'no formats'],
    ['has a format of no use here', { ...image, disk_format: 'x'.repeat(21) }, 'does not answer as'],
    ['has another size than its data', { ...image, size: 5 }, 'has 5 bytes'],
    ['is no image', ['what?'], 'does not answer as'],
  ])('refuses an image that %s', async (_what, document, reason) => {
    answer = (path, response) => {
      if (!path.endsWith('/file')) response.end(JSON.stringify(document));
      else response.writeHead(200, { 'content-length': DATA.length }).end(DATA);
    };

    await expect(open()).rejects.toMatchObject({
      code: 'TRANSFER_ABORTED',
      message: expect.stringContaining(reason),
    });
  });

  it('follows nowhere, so that the token stays where it belongs', async () => {
    answer = (path, response) => response.writeHead(302, { location: `${url}/elsewhere${path}` }).end();

    await expect(open()).rejects.toMatchObject({ code: 'TRANSFER_ABORTED' });
    expect(tokens).toHaveLength(1);
  });

  it('gives up a service that never ends to describe the image', async () => {
    answer = (_path, response) => {
      const trickle = setInterval(() => response.write(' '), 20);
      response.once('close', () => clearInterval(trickle));
    };

    await expect(open(300)).rejects.toMatchObject({
      code: 'TRANSFER_ABORTED',
      message: 'The other region takes too long to answer',
    });
  });
});

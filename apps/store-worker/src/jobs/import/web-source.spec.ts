import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@glimpse/config';
import { ServiceError } from '@glimpse/contracts';
import { AllowedAddresses } from './allowed-addresses.js';
import { type WebOptions, WebRequests } from './web-request.js';
import { WebSource } from './web-source.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
type Resolve = NonNullable<ConstructorParameters<typeof AllowedAddresses>[1]>;

const DATA = randomBytes(300_000);
const ETAG = '"one"';
const digest = (data: Buffer) => createHash('sha256').update(data).digest('hex');

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

describe('WebSource', () => {
  const server = createServer();
  let handle: Handler;
  let ports: string[];

  beforeEach(async () => {
    ports = [];
    handle = (_request, response) => response.end(DATA);
    server.removeAllListeners('request');
    server.on('request', (request, response) => {
      ports.push(request.url ?? '');
      handle(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const urlOf = (path = '/disk', host = '127.0.0.1') =>
    `http://${host}:${(server.address() as AddressInfo).port}${path}`;
  const makeSource = (more: Partial<WebOptions> = {}, resolve?: Resolve) => {
    const options: WebOptions = {
      ...loadConfig({}).import.webDownload,
      allowedPorts: [],
      allowedAddresses: ['127.0.0.1'],
      ...more,
    };
    const addresses = new AllowedAddresses(options.allowedAddresses, resolve);
    return new WebSource(new WebRequests(options, addresses), options);
  };
  const read = async (url = urlOf(), source = makeSource(), signal = new AbortController().signal) => {
    const { data } = await source.open(url, signal);
    try {
      return await buffer(data);
    } finally {
      data.destroy();
    }
  };
  const refusalOf = (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'it was read',
      (error: unknown) => (error instanceof ServiceError ? `${error.code}: ${error.message}` : String(error)),
    );

  it('reads what is there, and says how much it is', async () => {
    const { data, size } = await makeSource().open(urlOf(), new AbortController().signal);

    expect(size).toBe(DATA.length);
    expect(digest(await buffer(data))).toBe(digest(DATA));
  });

  it.each([
    'http://127.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://169.254.169.254/latest/meta-data',
    'http://10.0.0.1/',
    'http://100.64.0.1/',
    'http://224.0.0.1/',
    'http://0.0.0.0/',
    'http://localhost/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://017700000001/',
    'http://127.1/',
    'ftp://example.org/',
  ])('asks nobody for %s', async (url) => {
    const source = makeSource({ allowedAddresses: [] });

    expect(await refusalOf(read(url, source))).toContain('does not pass filtering');
  });

  it('connects to the address that it looked at, each time', async () => {
    handle = (_request, response) => response.writeHead(302, { location: urlOf('/next', 'name.test') }).end();
    const source = makeSource({}, resolving('127.0.0.1', '10.0.0.1'));

    const refusal = await refusalOf(read(urlOf('/disk', 'name.test'), source));

    expect(refusal).toContain('does not pass filtering');
    expect(ports).toEqual(['/disk']);
  });

  it.each(['http://169.254.169.254/', 'file:///etc/passwd', 'http://[::1]:80/'])(
    'does not follow a redirect to %s',
    async (location) => {
      handle = (_request, response) => response.writeHead(301, { location }).end();

      expect(await refusalOf(read())).toContain('does not pass filtering');
    },
  );

  it('follows a bounded number of redirects', async () => {
    handle = (request, response) => {
      if (request.url === '/end') response.end(DATA);
      else response.writeHead(307, { location: request.url === '/disk' ? '/end' : '/loop' }).end();
    };

    expect(digest(await read())).toBe(digest(DATA));
    expect(await refusalOf(read(urlOf('/loop')))).toContain('redirects too often');
  });

  it('sends credentials to their server only', async () => {
    const seen: (string | undefined)[] = [];
    handle = (request, response) => {
      seen.push(request.headers.authorization);
      if (request.url === '/disk') response.writeHead(302, { location: urlOf('/end', 'other.test') }).end();
      else response.end(DATA);
    };
    const source = makeSource({}, resolving('127.0.0.1'));

    await read(urlOf().replace('http://', 'http://user:secret@'), source);

    expect(seen).toEqual([`Basic ${Buffer.from('user:secret').toString('base64')}`, undefined]);
  });

  it('tells no part of the URL when it fails', async () => {
    handle = (_request, response) => response.writeHead(404).end();

    expect(await refusalOf(read(urlOf('/secret')))).toBe('TRANSFER_ABORTED: The server answered 404');
  });

  /** Sends what was asked for, but breaks off after a part. */
  const breaking =
    (more: { etag?: string; ignoresRange?: boolean } = { etag: ETAG }): Handler =>
    (request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const isPart = from > 0 && request.headers['if-range'] === more.etag && more.ignoresRange !== true;
      const rest = DATA.subarray(isPart ? from : 0);
      response.writeHead(isPart ? 206 : 200, {
        ...(more.etag === undefined ? {} : { etag: more.etag }),
        'content-length': rest.length,
        ...(isPart ? { 'content-range': `bytes ${from}-${DATA.length - 1}/${DATA.length}` } : {}),
      });
      if (rest.length <= 100_000) response.end(rest);
      else response.write(rest.subarray(0, 100_000), () => response.destroy());
    };

  it('goes on where a connection broke', async () => {
    handle = breaking();

    expect(digest(await read())).toBe(digest(DATA));
    expect(ports.length).toBe(3);
  });

  it.each([
    ['can not vouch for the data', { etag: 'W/"weak"' }],
    ['names no version', {}],
    ['begins again', { etag: ETAG, ignoresRange: true }],
  ])('does not piece together what a server sends that %s', async (_what, more) => {
    handle = breaking(more);

    expect(await refusalOf(read())).toContain('The connection broke');
  });

  it('goes on a bounded number of times', async () => {
    handle = breaking();

    expect(await refusalOf(read(urlOf(), makeSource({ maxResumes: 1 })))).toContain('The connection broke');
  });

  it('gives up a server that sends too slowly to end in time', async () => {
    handle = (_request, response) => {
      response.writeHead(200, { 'content-length': 1_000 });
      const drops = setInterval(() => response.write('x'), 20);
      response.once('close', () => clearInterval(drops));
    };

    expect(await refusalOf(read(urlOf(), makeSource({ totalTimeoutMs: 300 })))).toContain('took too long');
  });

  it('refuses data in another form than it is stored', async () => {
    handle = (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(DATA);

    expect(await refusalOf(read())).toContain('gzip');
  });

  it('ends when its signal does', async () => {
    const stop = new AbortController();
    handle = (_request, response) => {
      response.writeHead(200).write('x');
      stop.abort(new ServiceError('SERVICE_STOPPING', 'stopping'));
    };

    expect(await refusalOf(read(urlOf(), makeSource(), stop.signal))).toContain('stopping');
  });
});

import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@glimpse/observability';
import type { StoreDriver } from '../../store-driver.js';
import { describeStoreDriver, pattern } from '../../store-driver.conformance.js';
import { HttpOptions } from './http.options.js';
import { httpType } from './http.type.js';
import { isPublicAddress } from './public-addresses.js';

const open = (options: object = {}) =>
  httpType.open(
    HttpOptions.parse({ allow_private_addresses: true, ...options }),
    createLogger('test', { level: 'silent' }),
  );

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(answer: Answer): Promise<{ url: string; server: Server }> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

async function shut(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

/** Answers with `data` as a web server does that knows ranges. */
function serve(data: Buffer, { headers }: IncomingMessage, response: ServerResponse): void {
  const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
  const start = Number(range?.[1] ?? 0);
  const end = Number(range?.[2] ?? data.length - 1);
  const part = data.subarray(start, end + 1);
  response.writeHead(range === null ? 200 : 206, {
    'content-length': part.length,
    ...(range === null ? {} : { 'content-range': `bytes ${start}-${end}/${data.length}` }),
  });
  response.end(part);
}

describeStoreDriver('HttpDriver', async () => {
  const objects = new Map<string, Buffer>();
  const { url, server } = await listen((request, response) => {
    const data = objects.get(request.url ?? '');
    if (data === undefined) response.writeHead(404).end();
    else serve(data, request, response);
  });
  const driver = open();
  return {
    driver,
    place: async (key, data) => {
      objects.set(`/${key}`, data);
      return { uri: `${url}/${key}` };
    },
    list: async () => [...objects.keys()],
    missing: { uri: `${url}/nothing` },
    foreignUris: ['file:///etc/passwd', 'https://', 'http:///x', 'ftp://host/x', 'http://user%zz:x@host/'],
    close: async () => {
      await driver.close();
      await shut(server);
    },
  };
});

describe('HttpDriver', () => {
  const data = pattern(100_000);
  let driver: StoreDriver;
  let server: Server;
  let url: string;
  let answer: Answer;
  let requests: IncomingMessage[];

  beforeEach(async () => {
    driver = open();
    requests = [];
    answer = (request, response) => serve(data, request, response);
    ({ url, server } = await listen((request, response) => {
      requests.push(request);
      answer(request, response);
    }));
  });
  afterEach(async () => {
    await driver.close();
    await shut(server);
  });

  const redirect =
    (status: number, target: string): Answer =>
    (request, response) => {
      if (request.url === '/data') serve(data, request, response);
      else response.writeHead(status, { location: target }).end();
    };
  const read = async (uri: string, range?: { start: number; end: number }) => {
    const stream = await driver.read({ uri }, range === undefined ? {} : { range });
    return Buffer.concat(await stream.toArray());
  };

  it('skips bytes itself where the server does not know ranges', async () => {
    answer = (_request, response) => response.writeHead(200).end(data);

    expect((await read(url, { start: 777, end: 90_000 })).equals(data.subarray(777, 90_001))).toBe(true);
  });

  it('refuses another range than it asked for', async () => {
    answer = (_request, response) =>
      response.writeHead(206, { 'content-range': 'bytes 0-9/100000' }).end(data.subarray(0, 10));

    await expect(read(url, { start: 5, end: 14 })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('notices data that ends too early', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': data.length });
      response.write(data.subarray(0, 5000), () => response.destroy());
    };

    await expect(read(url)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it.each([301, 302])('follows a redirect by %d', async (status) => {
    answer = redirect(status, '/data');

    expect((await read(`${url}/elsewhere`)).equals(data)).toBe(true);
    expect(await driver.size({ uri: `${url}/elsewhere` }, {})).toBe(data.length);
  });

  it.each([
    [303, '/data'],
    [307, '/data'],
    [301, '/again'],
    [301, 'file:///etc/passwd'],
    [302, 'http://'],
  ])('refuses a redirect by %d to %s', async (status, target) => {
    answer = redirect(status, target);

    await expect(read(url)).rejects.toMatchObject({ code: 'STORE_LOCATION_INVALID' });
    expect(requests.length).toBeLessThanOrEqual(6);
  });

  it('sends the credentials of the location to its own server only', async () => {
    const other = await listen((request, response) => {
      requests.push(request);
      serve(data, request, response);
    });
    answer = (_request, response) => response.writeHead(302, { location: `${other.url}/data` }).end();

    await read(`${url.replace('://', '://me:s%40cret@')}/start`);
    await shut(other.server);

    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${Buffer.from('me:s@cret').toString('base64')}`,
      undefined,
    ]);
  });

  it.each([
    [401, 'STORE_FORBIDDEN'],
    [403, 'STORE_FORBIDDEN'],
    [404, 'STORE_OBJECT_NOT_FOUND'],
    [400, 'STORE_LOCATION_INVALID'],
    [429, 'STORE_UNAVAILABLE'],
    [503, 'STORE_UNAVAILABLE'],
  ])('takes %d for %s', async (status, code) => {
    answer = (_request, response) => response.writeHead(status).end();

    await expect(read(url)).rejects.toMatchObject({ code });
    await expect(driver.size({ uri: url }, {})).rejects.toMatchObject({ code });
  });

  it('says that a server cannot be reached, without the credentials', async () => {
    const gone = await listen(() => undefined);
    await shut(gone.server);
    const uri = gone.url.replace('://', '://me:secret@');

    const reading = read(uri);

    await expect(reading).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(reading).rejects.not.toMatchObject({ message: expect.stringContaining('secret') });
  });

  it('knows no size where the server does not tell', async () => {
    answer = (_request, response) => response.writeHead(200, { 'transfer-encoding': 'chunked' }).end();

    expect(await driver.size({ uri: url }, {})).toBe(0);
  });

  it('goes through the proxy of the scheme', async () => {
    const proxied = open({ http_proxy_information: { http: url.slice('http://'.length) } });

    expect(await proxied.size({ uri: 'http://images.invalid/x?y=1' }, {})).toBe(data.length);

    expect(requests.map((request) => request.url)).toEqual(['http://images.invalid/x?y=1']);
    await proxied.close();
  });
});

describe('HttpDriver and private networks', () => {
  const read = async (uri: string, options: object = {}) => {
    const driver = open({ allow_private_addresses: false, ...options });
    try {
      await driver.size({ uri }, {});
      return 'read';
    } catch (error) {
      return String(Reflect.get(Object(error), 'code'));
    } finally {
      await driver.close();
    }
  };

  it.each([
    'http://127.0.0.1:1/x',
    'http://localhost:1/x',
    'http://169.254.169.254/latest/meta-data',
    'http://10.0.0.1/x',
    'http://172.31.255.255/x',
    'http://192.168.1.1/x',
    'http://100.64.0.1/x',
    'http://0.0.0.0:1/x',
    'http://2130706433/x',
    'http://0x7f.1/x',
    'http://[::1]:1/x',
    'http://[::ffff:127.0.0.1]:1/x',
    'http://[fe80::1]/x',
    'http://[fd00::1]/x',
    'http://[64:ff9b::7f00:1]/x',
  ])('does not read %s', async (uri) => {
    expect(await read(uri)).toBe('STORE_LOCATION_INVALID');
  });

  it('says so before it knows whether anything is there, and reads when it is allowed to', async () => {
    const { url, server } = await listen((_request, response) => {
      response.writeHead(200, { 'content-length': 4 }).end('data');
    });

    expect(await read(url)).toBe('STORE_LOCATION_INVALID');
    expect(await read(url, { allow_private_addresses: true })).toBe('read');
    await shut(server);
  });
});

describe('isPublicAddress', () => {
  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2001:4860:4860::8888'])('lets %s through', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});

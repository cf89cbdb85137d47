import { request as httpRequest } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@glimpse/config';
import type { RunningService } from '@glimpse/runtime';
import { startApiGateway } from './bootstrap.js';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

let gateway: RunningService;
let dataDir: string;

/** Sends a path exactly as it is written, which `fetch` does not. */
function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(gateway.url ?? '');
    const sent = httpRequest({ hostname, port, method, path, headers, agent: false }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

// Nobody answers on the bus here: what is tested is decided by the gateway alone.
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'glimpse-gateway-'));
  const config = loadConfig({
    GLIMPSE_PORT: '0',
    GLIMPSE_AUTH: 'headers',
    GLIMPSE_BUS_URL: 'memory:gateway-http-spec',
    GLIMPSE_DATA_DIR: dataDir,
    GLIMPSE_LOG_LEVEL: 'silent',
    GLIMPSE_HTTP_BODY_LIMIT_BYTES: '2048',
    GLIMPSE_HTTP_HEALTHCHECK_DISABLE_FILE: join(dataDir, 'disabled'),
  });
  gateway = await startApiGateway(config);
});

afterAll(async () => {
  await gateway.close(0);
  await rm(dataDir, { recursive: true });
});

const confirmed = { 'x-identity-status': 'Confirmed', 'x-project-id': 'p', 'x-roles': 'Member' };

describe('version discovery', () => {
  it.each([
    ['GET', '/', 300],
    ['POST', '/nonsense', 300],
    ['DELETE', '/v3/images', 300],
    ['PUT', '/v2.18/images', 300],
    ['GET', '/versions', 200],
    ['GET', '/versions/more', 200],
    ['GET', '//versions', 200],
  ])('answers %s %s with %i and the versions document', async (method, path, status) => {
    const answer = await send(method, path);

    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.headers['x-openstack-request-id']).toBeUndefined();
    expect(JSON.parse(answer.text)).toMatchObject({
      versions: expect.arrayContaining([
        { id: 'v2.17', status: 'CURRENT', links: [{ rel: 'self', href: `${gateway.url}/v2/` }] },
      ]),
    });
  });

  it('answers every OPTIONS with an empty 200', async () => {
    const answers = await Promise.all(
      ['/', '/v2/images', '/nowhere', '/v2/nowhere'].map((path) => send('OPTIONS', path)),
    );

    expect(answers.map(({ status, text }) => [status, text])).toEqual(answers.map(() => [200, '']));
  });

  it.each(['/v2', '/v2.9', '/v2?a=b'])('redirects %s to /v2/', async (path) => {
    const answer = await send('GET', path, confirmed);

    expect(answer.status).toBe(302);
    expect(answer.headers.location).toBe(`${gateway.url}/v2/`);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf8');
  });

  it('takes the scheme from a proxy that ended TLS', async () => {
    const answer = await send('GET', '/v2', { ...confirmed, 'x-forwarded-proto': 'https' });

    expect(answer.headers.location).toMatch(/^https:/);
  });

  it('takes the version from the Accept header', async () => {
    const accept = 'application/vnd.openstack.images-v2.1';

    const [found, twice, unknown] = await Promise.all([
      send('GET', '/schemas/image', { ...confirmed, accept }),
      send('GET', '/v2/schemas/image', { ...confirmed, accept }),
      send('GET', '/schemas/image', { ...confirmed, accept: 'application/vnd.openstack.images-v9' }),
    ]);

    expect([found.status, twice.status, unknown.status]).toEqual([200, 404, 300]);
  });
});

describe('who is calling', () => {
  it.each([{}, { 'x-identity-status': 'Invalid', 'x-roles': 'admin' }])(
    'refuses %j with 401',
    async (headers) => {
      const answer = await send('GET', '/v2/schemas/image', headers as Record<string, string>);

      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe(`Keystone uri="${gateway.url}"`);
      expect(answer.headers['x-openstack-request-id']).toBeUndefined();
    },
  );

  it('refuses unknown paths under a version with 401 before 404', async () => {
    expect((await send('GET', '/v2/nowhere')).status).toBe(401);
    expect((await send('GET', '/v2/nowhere', confirmed)).status).toBe(404);
  });
});

describe('request ids', () => {
  it('gives every answer one', async () => {
    const answer = await send('GET', '/v2/nowhere', confirmed);

    expect(answer.headers['x-openstack-request-id']).toMatch(/^req-[0-9a-f-]{36}$/);
  });

  it.each([
    ['req-mine', 'req-mine'],
    ['mine', 'req-mine'],
    ['x'.repeat(64), `req-${'x'.repeat(64)}`],
  ])('takes %s over', async (sent, echoed) => {
    const answer = await send('GET', '/v2/schemas/image', { ...confirmed, 'x-openstack-request-id': sent });

    expect(answer.headers['x-openstack-request-id']).toBe(echoed);
  });

  it('refuses one that is too long', async () => {
    const answer = await send('GET', '/v2/schemas/image', {
      ...confirmed,
      'x-openstack-request-id': 'x'.repeat(65),
    });

    expect(answer.status).toBe(431);
  });
});

describe('routes', () => {
  it.each([
    ['POST', '/v2/images/1', 'GET, PATCH, DELETE'],
    ['HEAD', '/v2/images/1', 'GET, PATCH, DELETE'],
    ['POST', '/v2/images/1/file', 'GET, HEAD, PUT'],
    ['PUT', '/v2/images', 'GET, POST'],
    ['GET', '/v2.3/images/1/tags/a', 'PUT, DELETE'],
    ['POST', '/v2/schemas/image', 'GET'],
    ['PROPFIND', '/v2/images', 'GET, POST'],
  ])('refuses %s %s with 405 and what is allowed', async (method, path, allow) => {
    const answer = await send(method, path, confirmed);

    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe(allow);
  });

  it('sends no body with the 405 of a HEAD', async () => {
    const answer = await send('HEAD', '/v2/images/1', confirmed);

    expect(answer).toMatchObject({ status: 405, text: '' });
    expect(answer.headers['content-length']).toBe('0');
  });

  it.each([
    ['GET', '/v2/'],
    ['GET', '/v2/images/'],
    ['GET', '/v2//images/'],
    ['PUT', '/v2/images/1/tags/'],
    ['PUT', '/v2/images/1/tags/a%2Fb'],
    ['GET', '/v2/schemas/image/'],
    ['GET', `/v2/images/${'x'.repeat(300)}`],
    ['GET', '/v2/images/%F0%9F%98%80'],
    ['GET', `/v2/nowhere/${'x'.repeat(3000)}`],
  ])('says 404 to %s %s', async (method, path) => {
    expect((await send(method, path, confirmed)).status).toBe(404);
  });

  it('collapses slashes', async () => {
    expect((await send('GET', '//v2///schemas//image', confirmed)).status).toBe(200);
  });

  it('says 501 to strange methods on unknown paths', async () => {
    expect((await send('PROPFIND', '/v2/nowhere', confirmed)).status).toBe(501);
  });

  it('says 400 to a path that is not UTF-8', async () => {
    expect((await send('GET', '/v2/images/%ff', confirmed)).status).toBe(400);
  });
});

describe('request bodies', () => {
  it.each([
    ['POST', '/v2/images', '{'],
    ['POST', '/v2/images', '"text"'],
    ['POST', '/v2/images', 'null'],
    ['POST', '/v2/images', '[]'],
    ['POST', '/v2/images', '\uFEFF{}'],
    ['POST', '/v2/images', '{"a": NaN}'],
    ['POST', '/v2/images', `{"a": ${'['.repeat(100)}${']'.repeat(100)}}`],
    ['POST', '/v2/images', '{"name": "\\ud800"}'],
    ['POST', '/v2/images', '{"name": "😀"}'],
    ['POST', '/v2/images', '{"__proto__": "x"}'],
    ['POST', '/v2/images/1', '{'],
    ['POST', '/v2/nowhere', '{'],
    ['DELETE', '/v2/images/1', '{}'],
    ['GET', '/v2/images/1', '{}'],
    ['GET', '/v2/schemas/image', '{}'],
    ['PUT', '/v2/images/1/tags/a', '{}'],
  ])('refuses %s %s with %s', async (method, path, body) => {
    const answer = await send(
      method,
      path,
      { ...confirmed, 'content-length': String(Buffer.byteLength(body)) },
      body,
    );

    expect(answer.status).toBe(400);
  });

  it('wants a body for a new image', async () => {
    expect((await send('POST', '/v2/images', confirmed)).status).toBe(400);
  });

  it('refuses an empty chunked body where none is expected', async () => {
    const answer = await send('PUT', '/v2/images/1/tags/a', { ...confirmed, 'transfer-encoding': 'chunked' });

    expect(answer.status).toBe(400);
  });

  it.each(['content-length', 'transfer-encoding'])(
    'refuses a body that is too large (%s)',
    async (header) => {
      const body = JSON.stringify({ name: 'x'.repeat(4000) });
      const value = header === 'content-length' ? String(body.length) : 'chunked';

      const answer = await send('POST', '/v2/images', { ...confirmed, [header]: value }, body);

      expect(answer.status).toBe(413);
    },
  );

  it('reads a chunked body of any content type', async () => {
    const headers = { ...confirmed, 'content-type': 'utter nonsense', 'transfer-encoding': 'chunked' };

    const answer = await send('POST', '/v2/images', headers, '{"status": "active"}');

    expect(answer.status).toBe(403);
  });

  it('wants one of two media types for a patch', async () => {
    const answer = await send(
      'PATCH',
      '/v2/images/1',
      { ...confirmed, 'content-type': 'application/json' },
      '[]',
    );

    expect(answer.status).toBe(415);
    expect(answer.headers['accept-patch']).toBe(
      'application/openstack-images-v2.0-json-patch, application/openstack-images-v2.1-json-patch',
    );
  });

  it('wants octets for image data', async () => {
    const answer = await send(
      'PUT',
      '/v2/images/1/file',
      { ...confirmed, 'content-type': 'text/plain' },
      'x',
    );

    expect(answer.status).toBe(415);
  });
});

describe('error bodies', () => {
  it.each([
    [undefined, 'text/plain; charset=UTF-8'],
    ['application/json', 'application/json'],
    ['*/*', 'text/html; charset=UTF-8'],
  ])('for Accept %s are %s', async (accept, contentType) => {
    const answer = await send('GET', '/v2/nowhere', {
      ...confirmed,
      ...(accept === undefined ? {} : { accept }),
    });

    expect(answer.headers['content-type']).toBe(contentType);
    expect(answer.text).toContain('404 Not Found');
  });

  it('say 503 when the registry does not answer', async () => {
    const answer = await send('GET', '/v2/images', confirmed);

    expect(answer.status).toBe(503);
  });
});

describe('health', () => {
  it.each([
    ['text/plain', 'text/plain; charset=UTF-8', 'OK'],
    [
      'application/json',
      'application/json',
      '{\n    "detailed": false,\n    "reasons": [\n        "OK"\n    ]\n}',
    ],
  ])('is told as %s', async (accept, contentType, text) => {
    const answer = await send('GET', '/healthcheck', { accept });

    expect(answer).toMatchObject({ status: 200, text });
    expect(answer.headers['content-type']).toBe(contentType);
  });

  it('answers HEAD with 204 and every other method, below the path too', async () => {
    expect((await send('HEAD', '/healthcheck')).status).toBe(204);
    expect((await send('DELETE', '/healthcheck/more')).status).toBe(200);
  });

  it('lives, and is not ready without a registry', async () => {
    expect((await send('GET', '/livez')).status).toBe(200);
    expect((await send('GET', '/readyz')).status).toBe(503);
  });

  it('has metrics by route', async () => {
    const { text } = await send('GET', '/metrics');

    expect(text).toContain(
      'glimpse_http_request_duration_seconds_count{route="/v2/schemas/image",method="GET",status="200"}',
    );
  });
});

describe('clients that break the protocol', () => {
  it('get a 400 and lose the connection', async () => {
    const { connect } = await import('node:net');
    const { hostname, port } = new URL(gateway.url ?? '');
    const socket = connect(Number(port), hostname);
    socket.write('NONSENSE\r\n\r\n');

    let text = '';
    for await (const chunk of socket) text += String(chunk);

    expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
  });
});

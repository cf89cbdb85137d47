import { connect } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { ImageApi, eachMode } from '@glimpse/testing';

const PATCH_TYPE = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
const FUZZ_TIMEOUT_MS = 30_000;
const runs = { numRuns: 60 };

const field = fc.constantFrom(
  'id',
  'name',
  'visibility',
  'protected',
  'os_hidden',
  'owner',
  'disk_format',
  'container_format',
  'min_ram',
  'min_disk',
  'tags',
  'status',
  'size',
  'locations',
  'kernel_id',
  'self',
  'foo',
  '',
  '__proto__',
  'constructor',
  'os_glance_x',
  'stores',
  'deleted',
);
const pointer = fc.oneof(
  field.map((name) => `/${name}`),
  fc.string(),
  fc.constantFrom('/locations/-', '/locations/0', '/', '//', '/~', '/tags/-'),
);
const operation = fc.oneof(
  fc.record(
    { op: fc.constantFrom('add', 'replace', 'remove', 'move'), path: pointer, value: fc.jsonValue() },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
);
const query = fc.array(
  fc.tuple(
    fc.oneof(
      field,
      fc.constantFrom(
        'limit',
        'marker',
        'sort',
        'sort_key',
        'sort_dir',
        'tag',
        'member_status',
        'size_min',
        'created_at',
        'x_max',
        'changes-since',
      ),
      fc.string(),
    ),
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        'in:a,"b',
        'eq:',
        'gt:2020-01-01',
        '-1',
        '99999999999999999999',
        'name:asc',
        'true',
        '\u0000',
      ),
    ),
  ),
  { maxLength: 4 },
);

/** Sends bytes as they are and gives back the status lines of what came until the connection ended. */
function speak(url: string, bytes: string | Buffer): Promise<string[]> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    socket.on('close', () =>
      resolve([...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status ?? '')),
    );
  });
}

eachMode('Bad input', (glimpse) => {
  const api = new ImageApi(() => glimpse().url);

  it.each([
    [400, 'POST', '/v2/images', '{'],
    [400, 'POST', '/v2/images', '[]'],
    [400, 'POST', '/v2/images', '5'],
    [400, 'POST', '/v2/images', ''],
    [400, 'POST', '/v2/images', '\uFEFF{}'],
    [400, 'POST', '/v2/images', '{"name": "\\ud800"}'],
    [400, 'POST', '/v2/images', `{"a": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    [400, 'POST', '/v2/images', JSON.stringify({ a: 'x'.repeat(65_536) })],
    [413, 'POST', '/v2/images', JSON.stringify({ a: 'x'.repeat(1_048_576) })],
    [400, 'POST', '/v2/images/1', '{'],
    [405, 'POST', '/v2/images/1', '{}'],
    [405, 'PUT', '/v2/images', '{}'],
    [400, 'DELETE', '/v2/images/1', '{}'],
    [404, 'POST', '/v2/nowhere', '{}'],
    [400, 'POST', '/v2/nowhere', '{'],
  ])('gets %i: %s %s', async (status, method, path, body) => {
    await api.expect(status, method, path, { body });
  });

  it(
    'never is a failure of ours: create',
    async () => {
      const document = fc.dictionary(fc.oneof(field, fc.string({ unit: 'binary' })), fc.jsonValue());

      await fc.assert(
        fc.asyncProperty(document, async (body) => {
          const { status } = await api.send('POST', '/v2/images', { body: JSON.stringify(body) });
          expect([201, 400, 403, 409, 413]).toContain(status);
        }),
        runs,
      );
    },
    FUZZ_TIMEOUT_MS,
  );

  it(
    'never is a failure of ours: change',
    async () => {
      const { id } = await api.create();

      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 3 }), async (operations) => {
          const { status } = await api.send('PATCH', `/v2/images/${id}`, {
            headers: PATCH_TYPE,
            body: JSON.stringify(operations),
          });
          expect([200, 400, 403, 409, 413]).toContain(status);
        }),
        runs,
      );
    },
    FUZZ_TIMEOUT_MS,
  );

  it(
    'never is a failure of ours: list',
    async () => {
      await fc.assert(
        fc.asyncProperty(query, async (pairs) => {
          const text = new URLSearchParams(pairs).toString();
          const { status } = await api.send('GET', `/v2/images?${text}`);
          expect([200, 400]).toContain(status);
        }),
        runs,
      );
    },
    FUZZ_TIMEOUT_MS,
  );

  it(
    'never is a failure of ours: paths',
    async () => {
      const segment = fc.oneof(
        fc.string({ unit: 'binary' }).map(encodeURIComponentSafely),
        fc.constantFrom('%', '%zz', '%00', '..', '.', '%2e%2e', ';', '*', ':id'),
      );

      await fc.assert(
        fc.asyncProperty(fc.array(segment, { minLength: 1, maxLength: 3 }), async (segments) => {
          const { status } = await api.send('GET', `/v2/images/${segments.join('/')}`);
          expect([200, 300, 400, 404, 405]).toContain(status);
        }),
        runs,
      );
    },
    FUZZ_TIMEOUT_MS,
  );

  describe('below HTTP', () => {
    const get = (more: string) => `GET /v2/images HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${more}\r\n`;

    it.each([
      ['nonsense', 'nonsense\r\n\r\n', '400'],
      ['a header without a name', get(': x\r\n'), '400'],
      ['a length that is no number', get('Content-Length: x\r\n'), '400'],
      ['a length and chunks', get('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'), '400'],
      ['endless headers', get(`X: ${'x'.repeat(100_000)}\r\n`), '431'],
      [
        'bytes in the path',
        'GET /v2/images/\xff\xfe HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
        '400',
      ],
      ['a whole URL', 'GET http://h/v2/images HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n', '200'],
      ['no host', 'GET /versions HTTP/1.0\r\n\r\n', '200'],
      ['an unknown expectation', get('Expect: miracles\r\n'), '417'],
    ])('%s', async (_, bytes, status) => {
      expect(await speak(glimpse().url, Buffer.from(bytes, 'latin1'))).toEqual([status]);
    });

    it('tells a client that asks first to send its JSON', async () => {
      const head = `POST /v2/images HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\n`;

      expect(await speak(glimpse().url, `${head}Content-Length: 2\r\n\r\n{]`)).toEqual(['100', '400']);
      expect(await speak(glimpse().url, `${head}Content-Length: 2000000\r\n\r\n`)).toEqual(['413']);
    });

    it('refuses garbage among chunks, and the image stays queued', async () => {
      const { id } = await api.create();
      const head = `PUT /v2/images/${id}/file HTTP/1.1\r\nHost: h\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n`;

      const statuses = await speak(glimpse().url, `${head}5\r\nhello\r\nzz\r\n`);

      expect(statuses.every((status) => status === '400')).toBe(true);
      expect((await api.show(id)).status).toMatch(/queued|saving/);
    });
  });

  it('leaves the service as well as it was', async () => {
    await api.expect(200, 'GET', '/readyz');
    const { id } = await api.create();
    await api.upload(id, 'still works');
    expect((await api.download(id)).toString()).toBe('still works');
  });
});

function encodeURIComponentSafely(text: string): string {
  return encodeURIComponent(text.replace(/[\ud800-\udfff]/g, 'x'));
}

import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@glimpse/observability';
import type { StoreDriver, WriteOptions } from '../../store-driver.js';
import { pattern } from '../../store-driver.conformance.js';
import { S3Options } from './s3.options.js';
import { s3Type } from './s3.type.js';

const MIB = 1_048_576;
const SECRETS = ['AKIDplanted', 'planted/secret+key'] as const;
const logger = createLogger('test', { level: 'silent' });

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** `HEAD /bucket/key`, and with `?uploads` and the like where there is a query. */
  readonly what: string;
}

/** An S3 server that does what a test wants of it; what the test says nothing of succeeds on an empty bucket. */
describe('S3Driver', () => {
  let server: Server;
  let url: string;
  let driver: StoreDriver;
  let seen: Exchange[];
  /** True where it has answered. */
  let answer: (exchange: Exchange) => boolean;

  const open = (options: object = {}) =>
    s3Type.open(
      S3Options.parse({
        host: url,
        access_key: SECRETS[0],
        secret_key: SECRETS[1],
        bucket: 'bucket',
        max_attempts: 2,
        stale_upload_hours: 0,
        ...options,
      }),
      logger,
    );

  beforeEach(async () => {
    seen = [];
    answer = () => false;
    server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
      searchParams.delete('x-id');
      const query = [...searchParams.keys()].toSorted().join('&');
      const what = `${request.method} ${pathname.replace(/\/$/, '')}${query === '' ? '' : `?${query}`}`;
      request.resume();
      request.once('end', () => {
        const exchange = { request, response, what };
        seen.push(exchange);
        if (!answer(exchange)) answerEmptily(exchange);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    driver = open();
  });
  afterEach(async () => {
    await driver.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const write = (data: Buffer | Readable, more: Partial<WriteOptions> = {}) =>
    driver.write('key', data instanceof Readable ? data : Readable.from([data]), { uploadId: 'u1', ...more });
  const location = () => ({ uri: `s3://${new URL(url).host}/bucket/key` });
  const requests = () => seen.map(({ what }) => what);
  const refuse = ({ response }: Exchange, status: number, code: string) => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(
      `<Error><Code>${code}</Code><Message>no</Message><AWSAccessKeyId>${SECRETS[0]}</AWSAccessKeyId></Error>`,
    );
    return true;
  };
  const failsWith = async (work: Promise<unknown>): Promise<{ code: unknown; message: string }> => {
    const error: unknown = await work.then(
      () => new Error('no error'),
      (reason: unknown) => reason,
    );
    const texts = [];
    for (let cause = error; cause instanceof Error; cause = cause.cause)
      texts.push(cause.message, cause.stack, JSON.stringify(cause));
    for (const secret of SECRETS) expect(texts.join('\n')).not.toContain(secret);
    return error as { code: unknown; message: string };
  };

  it.each([
    [403, 'AccessDenied', 'STORE_WRITE_DENIED', 'STORE_FORBIDDEN'],
    [403, 'InvalidAccessKeyId', 'STORE_UNAVAILABLE', 'STORE_UNAVAILABLE'],
    [403, 'SignatureDoesNotMatch', 'STORE_UNAVAILABLE', 'STORE_UNAVAILABLE'],
    [404, 'NoSuchBucket', 'STORE_UNAVAILABLE', 'STORE_UNAVAILABLE'],
    [403, 'QuotaExceeded', 'STORE_FULL', 'STORE_FULL'],
    [413, 'Whatever', 'STORE_FULL', 'STORE_FULL'],
    [507, 'XMinioStorageFull', 'STORE_FULL', 'STORE_FULL'],
    [503, 'SlowDown', 'STORE_UNAVAILABLE', 'STORE_UNAVAILABLE'],
    [500, 'InternalError', 'STORE_UNAVAILABLE', 'STORE_UNAVAILABLE'],
  ])('takes %d %s for %s when writing, %s when reading', async (status, code, writing, reading) => {
    answer = (exchange) => !exchange.what.startsWith('HEAD') && refuse(exchange, status, code);

    expect(await failsWith(write(pattern(10)))).toMatchObject({ code: writing });
    expect(await failsWith(driver.read(location(), {}))).toMatchObject({ code: reading });
    expect(await failsWith(driver.delete(location(), {}))).toMatchObject({ code: reading });
  });

  it('says that its bucket is missing, and that the store can not be used then', async () => {
    answer = (exchange) => refuse(exchange, 404, 'NoSuchBucket');

    expect((await failsWith(write(pattern(10)))).message).toContain('bucket does not exist');
    expect(await failsWith(driver.checkHealth({}))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await failsWith(driver.size(location(), {}))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('makes its bucket where it is to, in its region, once', async () => {
    await driver.close();
    driver = open({ create_bucket_on_put: 'true', region_name: 'eu-north-1' });
    answer = (exchange) => exchange.what === 'HEAD /bucket' && refuse(exchange, 404, 'NoSuchBucket');

    await Promise.all(['a', 'b'].map((key) => driver.write(key, Readable.from([]), { uploadId: 'u' })));

    expect(requests().filter((what) => what === 'PUT /bucket')).toHaveLength(1);
    expect(seen[0]?.request.headers.authorization).toContain('/eu-north-1/s3/');
  });

  it('sends no more than what every server understands, and nothing that was not asked for', async () => {
    await write(pattern(10));

    const put = seen.find(({ what }) => what.startsWith('PUT'));
    const headers = Object.keys(put?.request.headers ?? {});
    expect(headers.filter((name) => /checksum|sdk-checksum|trailer|content-encoding/.test(name))).toEqual([]);
    expect(put?.request.headers).toMatchObject({ 'if-none-match': '*', 'x-amz-meta-glimpse-upload': 'u1' });
  });

  it('sends checksums where it is to', async () => {
    await driver.close();
    driver = open({
      enable_data_integrity_protection: true,
      request_checksum_calculation: 'when_supported',
    });

    await write(pattern(10));

    const put = seen.find(({ what }) => what.startsWith('PUT'));
    expect(put?.request.headers).toHaveProperty('x-amz-checksum-crc32');
  });

  it('goes without conditions on a server that refuses them, and asks it instead', async () => {
    answer = (exchange) =>
      'if-none-match' in exchange.request.headers && refuse(exchange, 501, 'NotImplemented');

    await write(pattern(10));
    await write(pattern(10));

    const conditional = seen.filter(({ request }) => 'if-none-match' in request.headers);
    expect(conditional).toHaveLength(1);
    expect(requests().slice(-3)).toEqual(['HEAD /bucket/key', 'HEAD /bucket/key', 'PUT /bucket/key']);
  });

  it('replaces nothing that came between its look and its write', async () => {
    answer = (exchange) => exchange.what.startsWith('PUT') && refuse(exchange, 412, 'PreconditionFailed');

    expect(await failsWith(write(pattern(10)))).toMatchObject({ code: 'STORE_OBJECT_DUPLICATE' });
    expect(requests()).not.toContain('DELETE /bucket/key');
  });

  it('knows its own object when the answer to the write was lost', async () => {
    let isStored = false;
    answer = ({ what, response }) => {
      if (what.startsWith('PUT')) {
        if (!isStored) response.destroy();
        else response.writeHead(412).end();
        isStored = true;
        return true;
      }
      if (!isStored || !what.startsWith('HEAD')) return false;
      response.writeHead(200, { 'content-length': 10, 'x-amz-meta-glimpse-upload': 'u1' }).end();
      return true;
    };

    expect(await write(pattern(10))).toMatchObject({ size: 10 });
  });

  it('removes what it may have written when it fails after all', async () => {
    const abort = new AbortController();
    let isStored = false;
    answer = ({ what, response }) => {
      if (what.startsWith('PUT')) {
        isStored = true;
        abort.abort();
        return true;
      }
      if (!isStored || !what.startsWith('HEAD')) return false;
      response.writeHead(200, { 'content-length': 10, 'x-amz-meta-glimpse-upload': 'u1' }).end();
      return true;
    };

    expect(await failsWith(write(pattern(10), { signal: abort.signal }))).toMatchObject({
      code: 'TRANSFER_ABORTED',
    });
    expect(requests()).toContain('DELETE /bucket/key');
  });

  it.each([
    ['another attempt', { 'x-amz-meta-glimpse-upload': 'another' }],
    ['somebody else', {}],
  ])('leaves what %s wrote', async (_, marks) => {
    answer = ({ what, response }) => {
      if (!what.startsWith('HEAD')) return false;
      response.writeHead(200, { 'content-length': 10, ...marks }).end();
      return true;
    };

    await driver.removeLeftovers('key', 'u1', {});

    expect(requests()).not.toContain('DELETE /bucket/key');
  });

  it('removes what an attempt left only while it is that, and not what was written there meanwhile', async () => {
    const conditions: unknown[] = [];
    answer = ({ what, request, response }) => {
      if (what.startsWith('DELETE')) conditions.push(request.headers['if-match']);
      if (!what.startsWith('HEAD')) return false;
      const marks = { etag: '"of-u1"', 'x-amz-meta-glimpse-upload': 'u1' };
      response.writeHead(200, { 'content-length': 10, ...marks }).end();
      return true;
    };

    await driver.removeLeftovers('key', 'u1', {});

    expect(conditions).toEqual(['"of-u1"']);
  });

  it('sends a few parts at once, each at most as often as it is told, and gives up the rest', async () => {
    answer = (exchange) =>
      exchange.what === 'PUT /bucket/key?partNumber&uploadId' && refuse(exchange, 500, 'InternalError');
    const source = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(MIB);
      })(),
    );

    expect(await failsWith(write(source))).toMatchObject({ code: 'STORE_UNAVAILABLE' });

    expect(source.destroyed).toBe(true);
    expect(requests().at(-1)).toBe('DELETE /bucket/key?uploadId');
    const parts = requests().filter((what) => what.includes('partNumber'));
    expect(parts.length).toBeGreaterThanOrEqual(2);
    expect(parts.length).toBeLessThanOrEqual(14);
  });

  it('goes on with data that breaks off, from the very object that it began with', async () => {
    const data = pattern(3 * MIB);
    let breaks = 2;
    answer = ({ what, request, response }) => {
      if (!what.startsWith('GET')) return false;
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(start === 0 ? 200 : 206, {
        'content-length': data.length - start,
        etag: '"e1"',
        ...(start === 0 ? {} : { 'content-range': `bytes ${start}-${data.length - 1}/${data.length}` }),
      });
      if (breaks-- > 0) response.write(data.subarray(start, start + MIB), () => response.destroy());
      else response.end(data.subarray(start));
      return true;
    };

    const read = Buffer.concat(await (await driver.read(location(), {})).toArray());

    expect(read.equals(data)).toBe(true);
    expect(seen.map(({ request }) => request.headers['if-match'])).toEqual([undefined, '"e1"', '"e1"']);
  });

  it('fails where the rest can not be had', async () => {
    answer = (exchange) => {
      if (exchange.request.headers.range !== undefined) return refuse(exchange, 412, 'PreconditionFailed');
      exchange.response.writeHead(200, { 'content-length': 100 });
      return exchange.response.write(Buffer.alloc(50), () => exchange.response.destroy());
    };

    const stream = await driver.read(location(), {});

    expect(await failsWith(stream.toArray())).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('gives up a server that does not answer', async () => {
    await driver.close();
    driver = open({ idle_timeout_ms: 1_000, max_attempts: 1 });
    answer = () => true;

    expect(await failsWith(driver.size(location(), {}))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it.each([
    ['virtual', 'bucket.store.example.org', '/key'],
    ['path', 'store.example.org', '/bucket/key'],
    ['auto', 'store.example.org', '/bucket/key'],
  ])('addresses a bucket in the way %s', async (format, host, path) => {
    await driver.close();
    driver = open({ host: 'https://store.example.org', bucket_url_format: format, direct_download: true });

    const signed = await driver.directUrl?.({ uri: 's3+https://store.example.org/bucket/key' });

    expect(new URL(signed ?? '')).toMatchObject({ protocol: 'https:', hostname: host, pathname: path });
  });

  it('gives URLs of the host that clients reach, and none unless it is to', async () => {
    expect(await driver.directUrl?.(location())).toBeUndefined();
    await driver.close();
    driver = open({
      direct_download: true,
      direct_download_seconds: 7,
      direct_download_host: 'https://public.example.org:8443',
    });

    const signed = new URL((await driver.directUrl?.(location())) ?? '');

    expect(signed.host).toBe('public.example.org:8443');
    expect(signed.searchParams.get('X-Amz-Expires')).toBe('7');
    expect(signed.href).not.toContain(SECRETS[1]);
  });
});

/** As an empty bucket would. */
function answerEmptily({ what, response }: Exchange): void {
  const xml = (body: string) => response.writeHead(200, { 'content-type': 'application/xml' }).end(body);
  if (what === 'HEAD /bucket') response.writeHead(200).end();
  else if (what.startsWith('HEAD') || what.startsWith('GET /bucket/')) response.writeHead(404).end();
  else if (what.startsWith('DELETE')) response.writeHead(204).end();
  else if (what === 'POST /bucket/key?uploads')
    xml('<InitiateMultipartUploadResult><UploadId>m1</UploadId></InitiateMultipartUploadResult>');
  else if (what.startsWith('GET')) xml('<ListMultipartUploadsResult></ListMultipartUploadsResult>');
  else response.writeHead(200, { etag: '"e"' }).end();
}

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { type Server, createServer as createTlsServer } from 'node:tls';
import { CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@glimpse/observability';
import { OwnBucket, getS3Server, getTlsServers, hasQuotas, waitFor } from '@glimpse/testing';
import type { StoreDriver } from '../../store-driver.js';
import { pattern } from '../../store-driver.conformance.js';
import { S3Connection } from './s3-connection.js';
import { copyObject } from './s3-copy.js';
import { S3Options } from './s3.options.js';
import { s3Type } from './s3.type.js';
import { StaleUploads } from './stale-uploads.js';

const MIB = 1_048_576;
const HOUR_MS = 3_600_000;
const logger = createLogger('test', { level: 'silent' });
const open = (options: object) => s3Type.open(S3Options.parse(options), logger);
const write = (driver: StoreDriver, key: string, data: Buffer) =>
  driver.write(key, Readable.from([data]), { uploadId: randomUUID() });
const read = async (driver: StoreDriver, uri: string) =>
  Buffer.concat(await (await driver.read({ uri }, {})).toArray());

/** A way to the S3 server by TLS, with a certificate of the authority of the tests. */
async function listenByTls(caFile: string): Promise<{ server: Server; url: URL }> {
  const file = (name: string) => readFileSync(join(dirname(caFile), name));
  const { hostname, port } = getS3Server().url;
  const server = createTlsServer({ key: file('server.key'), cert: file('server.pem') }, (near) => {
    const far = connect(Number(port), hostname);
    near.pipe(far).pipe(near);
    for (const socket of [near, far])
      socket.on('error', () => {
        near.destroy();
        far.destroy();
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: new URL(`https://localhost:${(server.address() as AddressInfo).port}`) };
}

describe('S3Driver on a server', () => {
  let bucket: OwnBucket;
  beforeEach(async () => {
    bucket = await OwnBucket.create();
  });
  afterEach(() => bucket.remove());

  const strand = async (Key: string) => {
    const { name: Bucket, client } = bucket;
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: pattern(10) }));
  };
  const connected = async <T>(work: (connection: S3Connection) => Promise<T>): Promise<T> => {
    const connection = new S3Connection(S3Options.parse(bucket.storeOptions()));
    try {
      return await work(connection);
    } finally {
      connection.close();
    }
  };

  it('is reached by TLS where its authority is known, and only then', async () => {
    const { caFile } = getTlsServers();
    const { server, url } = await listenByTls(caFile);
    const options = { ...bucket.storeOptions(url), max_attempts: 1 };
    const trusting = open({ ...options, cacert: caFile });
    const wary = open(options);

    const { location } = await write(trusting, 'key', pattern(1000));

    expect(location.uri).toBe(`s3+https://${url.host}/${bucket.name}/key`);
    expect((await read(trusting, location.uri)).equals(pattern(1000))).toBe(true);
    await expect(wary.checkHealth({})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(wary.size(location, {})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await Promise.all([trusting.close(), wary.close()]);
    server.close();
  });

  it('reads what Glance wrote, whatever credentials its location names', async () => {
    const driver = open(bucket.storeOptions());
    await bucket.put('an-id', pattern(1000));
    const { host } = getS3Server().url;

    for (const credentials of ['', 'old:key@', 'old:ke/y+x@'])
      expect(
        (await read(driver, `s3://${credentials}${host}/${bucket.name}/an-id`)).equals(pattern(1000)),
      ).toBe(true);
    await driver.close();
  });

  it('makes its bucket when it is first written to, if it is to', async () => {
    const missing = OwnBucket.named();
    const without = open({ ...missing.storeOptions(), max_attempts: 1 });
    const driver = open({ ...missing.storeOptions(), create_bucket_on_put: true });

    await expect(write(without, 'key', pattern(10))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await write(driver, 'key', pattern(10));

    expect(await missing.objects()).toEqual(['key']);
    await Promise.all([driver.close(), without.close()]);
    await missing.remove();
  });

  it('refuses keys that it does not know', async () => {
    const driver = open({ ...bucket.storeOptions(), secret_key: 'not this' });

    await expect(write(driver, 'key', pattern(10))).rejects.toMatchObject({ code: 'STORE_WRITE_DENIED' });
    await expect(driver.checkHealth({})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await driver.close();
  });

  // S3 has no quotas, so no other server can be made full; for the answers of others see s3.driver.spec.ts.
  (hasQuotas() ? describe : describe.skip)('with a quota', () => {
    it('says when it is full', async () => {
      await bucket.setQuota(6 * MIB);
      const driver = open(bucket.storeOptions());

      // It answers before it has read all, and hangs up: a client that still sends may see no more than that.
      await waitFor('the server to say it', () =>
        expect(write(driver, 'key', pattern(7 * MIB)))
          .rejects.toMatchObject({ code: 'STORE_FULL' })
          .then(() => true),
      );

      expect(await bucket.objects()).toEqual([]);
      await driver.close();
    });
  });

  it('takes back what attempts left that died, and what another attempt is doing', async () => {
    const driver = open(bucket.storeOptions());
    await Promise.all(['key', 'key', 'key-of-another'].map(strand));

    await driver.removeLeftovers('key', 'u1', {});

    expect((await bucket.uploads()).map(({ key }) => key)).toEqual(['key-of-another']);
    await driver.close();
  });

  it('removes uploads that nobody goes on with, but nothing that is not an image', async () => {
    const [image, repair, other] = [randomUUID(), `${randomUUID()}-${randomUUID()}`, 'backup.tar'];
    const aside = `.quarantine/${randomUUID()}.${image}`;
    const all = [image, repair, aside, other];
    await Promise.all(all.map(strand));
    const keys = async () => (await bucket.uploads()).map(({ key }) => key);

    await connected(async (connection) => {
      await new StaleUploads(connection, HOUR_MS, logger).sweep();
      expect((await keys()).toSorted()).toEqual(all.toSorted());

      // Its clock tells whole seconds, rounded up.
      await waitFor('the uploads to be gone', async () => {
        await new StaleUploads(connection, 1, logger).sweep();
        return (await keys()).length === 1;
      });
    });

    expect(await keys()).toEqual([other]);
  });

  it('copies large objects in parts', async () => {
    const data = pattern(11 * MIB);
    await bucket.put('from', data);

    await connected(async (connection) => {
      const head = await connection.findHead('from', undefined);
      if (head === undefined) throw new Error('it is not there');
      await copyObject(connection, {
        from: 'from',
        to: '.q/to',
        head,
        signal: undefined,
        partBytes: 5 * MIB,
      });
    });

    const driver = open(bucket.storeOptions());
    const { host } = getS3Server().url;
    expect((await read(driver, `s3://${host}/${bucket.name}/.q/to`)).equals(data)).toBe(true);
    expect(await bucket.uploads()).toEqual([]);
    await driver.close();
  });
});

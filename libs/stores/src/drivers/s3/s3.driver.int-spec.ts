import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { createLogger } from '@glimpse/observability';
import { OwnBucket, TcpProxy, getS3Server } from '@glimpse/testing';
import { type DriverFixture, describeStoreDriver } from '../../store-driver.conformance.js';
import { S3Options } from './s3.options.js';
import { s3Type } from './s3.type.js';

const logger = createLogger('test', { level: 'silent' });

/** Small parts, so that there are many. */
const PARTS = { large_object_size: 5, large_object_chunk_size: 5, thread_pools: 3 };

async function makeFixture(): Promise<DriverFixture> {
  const bucket = await OwnBucket.create();
  const proxy = new TcpProxy(getS3Server().url);
  await proxy.open();
  const url = new URL(proxy.url);
  const driver = s3Type.open(
    S3Options.parse({ ...bucket.storeOptions(url), max_attempts: 2, ...PARTS }),
    logger,
  );
  const host = `${url.host}/${bucket.name}`;
  return {
    driver,
    place: async (key, data) =>
      (await driver.write(key, Readable.from([data]), { uploadId: randomUUID() })).location,
    list: async () => [
      ...(await bucket.objects()),
      ...(await bucket.uploads()).map(({ key, id }) => `${key} ${id}`),
    ],
    strand: async (Key, _uploadId, Body) => {
      const { name: Bucket, client } = bucket;
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body }));
    },
    missing: { uri: `s3://${host}/nothing` },
    foreignUris: [
      `http://${host}/x`,
      `s3://${host}/`,
      `s3://${host}`,
      `s3://${url.host}/other/x`,
      `s3://${url.host}/${bucket.name.toUpperCase()}/x`,
      `s3://elsewhere/${bucket.name}/x`,
      `s3://user@${host}/x`,
      `s3://a:b@elsewhere/${bucket.name}/x`,
      `s3://s3://${host}/x`,
    ],
    breakDown: async () => {
      await proxy.close();
      return () => proxy.open();
    },
    close: async () => {
      await driver.close();
      await proxy.close();
      await bucket.remove();
    },
  };
}

describeStoreDriver('S3Driver', makeFixture);

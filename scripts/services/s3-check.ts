import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';

const REQUEST_TIMEOUT_MS = 15_000;

/** What a server of S3 is asked with. */
export const S3_REGION = 'us-east-1';

/**
 * Whether the server at `url`, which names the keys, can keep something: one that answers may still be without those
 * that are behind it, or on a file system that is not good enough for it. Throws with what it said when it can not.
 */
export async function canKeepObjects(url: string): Promise<boolean> {
  const { origin, username, password } = new URL(url);
  const client = new S3Client({
    endpoint: origin,
    region: S3_REGION,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: {
      accessKeyId: decodeURIComponent(username),
      secretAccessKey: decodeURIComponent(password),
    },
  });
  const abortSignal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const object = { Bucket: `glimpse-check-${randomUUID()}`, Key: 'object' };
  try {
    await client.send(new CreateBucketCommand({ Bucket: object.Bucket }), { abortSignal });
    await client.send(new PutObjectCommand({ ...object, Body: 'data' }), { abortSignal });
    await client.send(new DeleteObjectCommand(object), { abortSignal });
    await client.send(new DeleteBucketCommand({ Bucket: object.Bucket }), { abortSignal });
    return true;
  } finally {
    client.destroy();
  }
}

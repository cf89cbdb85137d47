import { randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';

const HOW_TO_START =
  'start an S3 server with `npm run services -- s3` and put it into the environment with `eval "$(npm run -s services -- env)"`, or run the tests by `npm test`';

const REGION = 'us-east-1';

/** The server's URL; its credentials are the keys that requests are signed with. */
export interface S3Server {
  readonly url: URL;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** What `GLIMPSE_TEST_S3_URL` names. Throws, saying what to start. */
export function getS3Server(): S3Server {
  const text = process.env['GLIMPSE_TEST_S3_URL'];
  if (text === undefined || text === '') throw new Error(`GLIMPSE_TEST_S3_URL is not set: ${HOW_TO_START}`);
  const url = new URL(text);
  const [accessKey, secretKey] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  url.username = '';
  url.password = '';
  return { url, accessKey, secretKey };
}

/** Whether buckets can be given quotas: those of Swift, which knows its users by `account:user`. */
export const hasQuotas = () => getS3Server().accessKey.includes(':');

/** A bucket that one test has for itself. */
export class OwnBucket {
  readonly name = `glimpse-test-${randomUUID()}`;
  readonly client: S3Client;

  private constructor(private readonly server: S3Server) {
    this.client = new S3Client({
      endpoint: server.url.href,
      region: REGION,
      forcePathStyle: true,
      credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secretKey },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  static async create(): Promise<OwnBucket> {
    const bucket = OwnBucket.named();
    await bucket.client.send(new CreateBucketCommand({ Bucket: bucket.name }));
    return bucket;
  }

  /** A name that no bucket has yet. */
  static named(): OwnBucket {
    return new OwnBucket(getS3Server());
  }

  /** The options of a store in this bucket; `url` in place of the server's own. */
  storeOptions(url: URL = this.server.url) {
    const { accessKey: access_key, secretKey: secret_key } = this.server;
    return { host: url.origin, access_key, secret_key, bucket: this.name };
  }

  /** Stores an object past Glimpse, in place of one that may be there. */
  async put(Key: string, Body: Buffer): Promise<void> {
    await this.client.send(new PutObjectCommand({ Bucket: this.name, Key, Body }));
  }

  /** Lets it hold no more than `bytes`. By Swift's own interface: S3 has none for that. */
  async setQuota(bytes: number): Promise<void> {
    const { url, accessKey, secretKey } = this.server;
    const login = await fetch(new URL('/auth/v1.0', url), {
      headers: { 'x-storage-user': accessKey, 'x-storage-pass': secretKey },
    });
    const [token, account] = [login.headers.get('x-auth-token'), login.headers.get('x-storage-url')];
    if (token === null || account === null) throw new Error('The S3 server is not Swift with tempauth');
    const answer = await fetch(`${account}/${this.name}`, {
      method: 'POST',
      headers: { 'x-auth-token': token, 'x-container-meta-quota-bytes': String(bytes) },
    });
    if (!answer.ok) throw new Error(`The quota was refused with ${answer.status}`);
  }

  /** Removes an object past Glimpse. */
  async delete(Key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand({ Bucket: this.name, Key }));
  }

  /** The keys of all objects. */
  async objects(): Promise<string[]> {
    const { Contents = [] } = await this.client.send(new ListObjectsV2Command({ Bucket: this.name }));
    return Contents.map(({ Key = '' }) => Key).toSorted();
  }

  /** The uploads in parts that are not complete. */
  async uploads(): Promise<{ key: string; id: string }[]> {
    const { Uploads = [] } = await this.client.send(new ListMultipartUploadsCommand({ Bucket: this.name }));
    return Uploads.map(({ Key: key = '', UploadId: id = '' }) => ({ key, id }));
  }

  /** Removes it with everything in it. */
  async remove(): Promise<void> {
    const Bucket = this.name;
    for (const { key: Key, id: UploadId } of await this.uploads())
      await this.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    for (const key of await this.objects()) await this.delete(key);
    await this.client.send(new DeleteBucketCommand({ Bucket }));
    this.client.destroy();
  }
}

import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { ServiceError } from '@glimpse/contracts';
import { nameOf, statusOf } from './s3-errors.js';
import type { S3Options } from './s3.options.js';

/** Of an object: which attempt wrote it. Unknown answers to a write are told from other people's objects by it. */
export const UPLOAD_METADATA = 'glimpse-upload';

/** What a store says of an object. */
export interface ObjectHead {
  readonly size: number;
  readonly etag: string;
  /** Epoch milliseconds. */
  readonly modifiedAt: number;
  /** The attempt that wrote it, where Glimpse did. */
  readonly uploadId: string | undefined;
}

/** The headers that keep a write from replacing an object. */
export interface WriteCondition {
  readonly IfNoneMatch?: '*';
}

const REGION_WITHOUT_CONSTRAINT = 'us-east-1';

const isMissing = (error: unknown) => statusOf(error) === 404;

/** Nothing of the environment, nor of files in a home, changes how requests are made. */
function createClient(options: S3Options, endpoint: URL, ca: string | undefined): S3Client {
  const agent = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
  return new S3Client({
    endpoint: endpoint.href,
    region: options.region,
    credentials: { accessKeyId: options.accessKey, secretAccessKey: options.secretKey },
    forcePathStyle: options.bucketInPath,
    requestChecksumCalculation: options.requestChecksums,
    responseChecksumValidation: options.responseChecksums,
    followRegionRedirects: false,
    useArnRegion: false,
    maxAttempts: options.maxAttempts,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: options.connectTimeoutMs,
      socketTimeout: options.idleTimeoutMs,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent({ ...agent, ...(ca === undefined ? {} : { ca }) }),
    },
  });
}

/** A bucket, and how to reach it. Its errors are the SDK's. */
export class S3Connection {
  readonly client: S3Client;
  readonly bucket: string;
  /** Signs URLs by which clients reach the store; undefined where they are not to. */
  readonly signer: S3Client | undefined;
  private refusesConditions = false;
  private bucketIsThere: Promise<void> | undefined;

  /** `ca`: the authorities that the server is checked against, where they are not those of the system. */
  constructor(
    private readonly options: S3Options,
    ca?: string,
  ) {
    this.client = createClient(options, options.endpoint, ca);
    this.bucket = options.bucket;
    this.signer =
      options.direct === undefined ? undefined : createClient(options, options.direct.endpoint, ca);
  }

  /** Undefined where there is no such object, be it for want of the bucket. */
  async findHead(key: string, signal: AbortSignal | undefined): Promise<ObjectHead | undefined> {
    try {
      const head = await this.client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }), {
        abortSignal: signal,
      });
      return {
        size: head.ContentLength ?? 0,
        etag: head.ETag ?? '',
        modifiedAt: head.LastModified?.getTime() ?? 0,
        uploadId: head.Metadata?.[UPLOAD_METADATA],
      };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Rejects with the SDK's error, or with `STORE_UNAVAILABLE` where there is no such bucket. */
  async checkBucket(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.client.send(new HeadBucketCommand({ Bucket: this.bucket }), { abortSignal: signal });
    } catch (error) {
      if (isMissing(error))
        throw new ServiceError('STORE_UNAVAILABLE', `The bucket ${this.bucket} does not exist`);
      throw error;
    }
  }

  /** Creates the bucket where it is missing, if that is configured. */
  async ensureBucket(): Promise<void> {
    if (!this.options.createsBucket) return;
    this.bucketIsThere ??= this.createBucket();
    try {
      await this.bucketIsThere;
    } catch (error) {
      this.bucketIsThere = undefined;
      throw error;
    }
  }

  /**
   * Sends a write that never replaces an object. Servers that don't know such are asked before whether there is one:
   * between writers of several processes only the registry's leases decide then, which give each key to one writer.
   */
  async unlessExists<T>(
    key: string,
    send: (condition: WriteCondition) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    if (!this.refusesConditions) {
      try {
        return await send({ IfNoneMatch: '*' });
      } catch (error) {
        if (statusOf(error) !== 501) throw error;
        this.refusesConditions = true;
      }
    }
    await this.refuseExisting(key, signal);
    return send({});
  }

  /** Throws `STORE_OBJECT_DUPLICATE` where the key is taken. */
  async refuseExisting(key: string, signal: AbortSignal | undefined): Promise<void> {
    if ((await this.findHead(key, signal)) !== undefined)
      throw new ServiceError('STORE_OBJECT_DUPLICATE', 'The store has data of this image already');
  }

  close(): void {
    this.client.destroy();
    this.signer?.destroy();
  }

  private async createBucket(): Promise<void> {
    const { bucket: Bucket } = this;
    try {
      await this.client.send(new HeadBucketCommand({ Bucket }));
      return;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    // The type has Amazon's regions only.
    const region = this.options.region as BucketLocationConstraint;
    const isDefault = this.options.region === REGION_WITHOUT_CONSTRAINT;
    const configuration = isDefault ? {} : { CreateBucketConfiguration: { LocationConstraint: region } };
    try {
      await this.client.send(new CreateBucketCommand({ Bucket, ...configuration }));
    } catch (error) {
      // Another process was first.
      if (nameOf(error) !== 'BucketAlreadyOwnedByYou') throw error;
    }
  }
}

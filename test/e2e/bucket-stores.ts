import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OwnBucket, TcpProxy, getS3Server } from '@glimpse/testing';

/** A directory, a bucket, and a bucket that clients are sent to; the way to the first bucket can be closed. */
export class BucketStores {
  private constructor(
    readonly bucket: OwnBucket,
    readonly direct: OwnBucket,
    readonly proxy: TcpProxy,
    private readonly folder: string,
  ) {}

  static async create(): Promise<BucketStores> {
    const proxy = new TcpProxy(getS3Server().url);
    await proxy.open();
    const folder = mkdtempSync(join(tmpdir(), 'glimpse-buckets-'));
    return new BucketStores(await OwnBucket.create(), await OwnBucket.create(), proxy, folder);
  }

  get env(): Record<string, string> {
    const stores = {
      local: { type: 'file', datadir: join(this.folder, 'local') },
      bucket: {
        type: 's3',
        ...this.bucket.storeOptions(new URL(this.proxy.url)),
        large_object_size: 5,
        large_object_chunk_size: 5,
        max_attempts: 2,
        connect_timeout_ms: 2_000,
      },
      direct: {
        type: 's3',
        ...this.direct.storeOptions(),
        direct_download: true,
        direct_download_seconds: 60,
      },
    };
    return { GLIMPSE_STORES: JSON.stringify(stores), GLIMPSE_DEFAULT_STORE: 'bucket' };
  }

  /** What lies in the first bucket, remains of uploads included. */
  async everything(): Promise<string[]> {
    return [...(await this.bucket.objects()), ...(await this.bucket.uploads()).map(({ key }) => `${key}?`)];
  }

  async remove(): Promise<void> {
    await this.proxy.close();
    await Promise.all([this.bucket.remove(), this.direct.remove()]);
    await rm(this.folder, { recursive: true });
  }
}

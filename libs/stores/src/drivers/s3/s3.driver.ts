import { type Readable, addAbortSignal } from 'node:stream';
import { DeleteObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { ServiceError } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import type {
  CallOptions,
  Location,
  ReadOptions,
  StoreDriver,
  StoredObject,
  WriteOptions,
} from '../../store-driver.js';
import { refuseWhenAborted } from '../../transfer-chunks.js';
import { abortUpload } from './multipart-upload.js';
import { PartMemory } from './part-memory.js';
import type { S3Connection } from './s3-connection.js';
import { nameOf, toAccessError, toUnavailable, toWriteError } from './s3-errors.js';
import { removeUnchanged } from './remove-unchanged.js';
import { S3Inventory } from './s3-inventory.js';
import { getKeyOfLocation, locationOf, toKey } from './s3-location.js';
import { readObject } from './s3-reader.js';
import { S3Upload } from './s3-upload.js';
import type { S3Options } from './s3.options.js';
import { StaleUploads } from './stale-uploads.js';
import { listUploads } from './upload-list.js';

/** What all uploads to a store together may hold beside one part each, so that parts can be sent side by side. */
const SHARED_PART_BYTES = 33_554_432;

/** A server that needs longer to say that a bucket is there can't be used; whoever asks will ask again. */
const HEALTH_TIMEOUT_MS = 5_000;

/** Keeps each image as an object named after its id, in a bucket of a server that speaks S3. */
export class S3Driver implements StoreDriver {
  readonly capabilities = { write: true, delete: true, ranges: true, releasesChunks: true };
  readonly inventory: S3Inventory;

  private readonly memory = new PartMemory(SHARED_PART_BYTES);
  private readonly staleUploads: StaleUploads;
  /** Keys that this process is writing: of servers that don't know conditional writes this is all there is. */
  private readonly writing = new Set<string>();

  constructor(
    private readonly options: S3Options,
    private readonly connection: S3Connection,
    private readonly logger: Logger,
  ) {
    this.inventory = new S3Inventory(options, connection);
    this.staleUploads = new StaleUploads(connection, options.staleUploadMs, logger);
  }

  async write(key: string, data: Readable, write: WriteOptions): Promise<StoredObject> {
    try {
      refuseWhenAborted(write.signal);
      const size = await this.asOnlyWriter(toKey(key), async () => {
        await this.connection.ensureBucket();
        await this.connection.refuseExisting(key, write.signal);
        const { options, connection, memory, logger } = this;
        return new S3Upload({ options, connection, memory, logger }, key, write).run(data);
      });
      this.staleUploads.sweepSometimes();
      return { location: { uri: locationOf(this.options, key) }, size, metadata: {} };
    } catch (error) {
      // Requests end with an error of the SDK's when the signal does.
      if (!(error instanceof ServiceError)) refuseWhenAborted(write.signal);
      throw toWriteError(error, 'Cannot store image data');
    } finally {
      data.destroy();
    }
  }

  async read(location: Location, { range, signal }: ReadOptions): Promise<Readable> {
    signal?.throwIfAborted();
    const key = this.keyOf(location);
    try {
      const attempts = this.options.maxAttempts;
      const stream = await readObject(this.connection, { key, range, signal, attempts });
      return signal === undefined ? stream : addAbortSignal(signal, stream);
    } catch (error) {
      signal?.throwIfAborted();
      throw toAccessError(error, 'Cannot read image data');
    }
  }

  async size(location: Location, { signal }: CallOptions): Promise<number> {
    const key = this.keyOf(location);
    return this.access('Cannot read the size of image data', signal, async () => {
      const head = await this.connection.findHead(key, signal);
      if (head !== undefined) return head.size;
      // Without a bucket nothing can be said of what lies in it.
      await this.connection.checkBucket(signal);
      throw new ServiceError('STORE_OBJECT_NOT_FOUND', 'The store has no such object');
    });
  }

  async delete(location: Location, { signal }: CallOptions): Promise<void> {
    const key = this.keyOf(location);
    await this.access('Cannot remove image data', signal, () => this.remove(key, signal));
  }

  async removeLeftovers(key: string, uploadId: string, { signal }: CallOptions): Promise<void> {
    toKey(key);
    await this.access('Cannot remove what an upload left', signal, async () => {
      // Each upload of a key has an id of the server's; nobody else is writing this key.
      for await (const upload of listUploads(this.connection, { prefix: key, signal }))
        if (upload.key === key) await abortUpload(this.connection, upload, signal);
      // What has no such mark was not written by Glimpse: it may be data of a Glance, or of another deployment.
      await removeUnchanged(this.connection, key, (head) => head.uploadId === uploadId, signal);
    });
  }

  parseLocation(uri: string): Location {
    this.keyOf({ uri });
    return { uri };
  }

  async checkHealth({ signal }: CallOptions): Promise<void> {
    const limit = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
    try {
      await this.connection.ensureBucket();
      await this.connection.checkBucket(signal === undefined ? limit : AbortSignal.any([signal, limit]));
    } catch (error) {
      signal?.throwIfAborted();
      throw toUnavailable(error, 'The S3 server cannot be used');
    }
  }

  async directUrl(location: Location): Promise<string | undefined> {
    const { direct, bucket } = this.options;
    const { signer } = this.connection;
    if (direct === undefined || signer === undefined) return undefined;
    const command = new GetObjectCommand({ Bucket: bucket, Key: this.keyOf(location) });
    return getSignedUrl(signer, command, { expiresIn: direct.seconds });
  }

  async close(): Promise<void> {
    await this.staleUploads.close();
    this.connection.close();
  }

  private keyOf(location: Location): string {
    return getKeyOfLocation(this.options, location);
  }

  private async remove(key: string, signal: AbortSignal | undefined): Promise<void> {
    const { client, bucket } = this.connection;
    signal?.throwIfAborted();
    try {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
    } catch (error) {
      if (nameOf(error) !== 'NoSuchKey') throw error;
    }
  }

  private async asOnlyWriter<T>(key: string, write: () => Promise<T>): Promise<T> {
    if (this.writing.has(key))
      throw new ServiceError('STORE_OBJECT_DUPLICATE', 'Data of this image is being stored already');
    this.writing.add(key);
    try {
      return await write();
    } finally {
      this.writing.delete(key);
    }
  }

  private async access<T>(what: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      throw toAccessError(error, what);
    }
  }
}

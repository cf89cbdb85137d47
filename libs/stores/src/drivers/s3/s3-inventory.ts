import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { ServiceError } from '@glimpse/contracts';
import type { CallOptions, Location } from '../../store-driver.js';
import type { SetAside, SetAsideEntry, StoreInventory, StoredEntry } from '../../store-inventory.js';
import { abortUpload } from './multipart-upload.js';
import { removeUnchanged } from './remove-unchanged.js';
import { copyObject } from './s3-copy.js';
import type { ObjectHead, S3Connection } from './s3-connection.js';
import { statusOf, toUnavailable, toWriteError } from './s3-errors.js';
import { QUARANTINE_PREFIX, getKeyOfLocation, isImageKey, locationOf } from './s3-location.js';
import type { S3Options } from './s3.options.js';
import { listUploads, measureUpload } from './upload-list.js';

/** `<id>.<key>`: what is needed to put it back is in the name alone. */
const SET_ASIDE = /^(?<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?<key>[^]+)$/;

interface Listed {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly modifiedAt: number;
}

/** Some servers tell the time more exactly in lists than elsewhere. */
const versionOf = ({ etag, modifiedAt }: Pick<ObjectHead, 'etag' | 'modifiedAt'>): string =>
  `${etag.replaceAll('"', '')}-${Math.floor(modifiedAt / 1_000)}`;

const notSetAside = () => new ServiceError('STORE_OBJECT_NOT_FOUND', 'Nothing is set aside as that any more');

/** The objects of a bucket. What is set aside lies in the same bucket under a prefix of its own. */
export class S3Inventory implements StoreInventory {
  constructor(
    private readonly options: S3Options,
    private readonly connection: S3Connection,
  ) {}

  async *list({ signal }: CallOptions): AsyncGenerator<StoredEntry> {
    try {
      for await (const object of this.objects('', signal)) {
        if (object.key.startsWith(QUARANTINE_PREFIX)) continue;
        const { key, size, modifiedAt } = object;
        yield { ...this.named(key), partialOf: null, size, modifiedAt, version: versionOf(object) };
      }
      yield* this.incomplete(signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw toUnavailable(error, 'Cannot list image data');
    }
  }

  async *listSetAside({ signal }: CallOptions): AsyncGenerator<SetAsideEntry> {
    try {
      for await (const { key, size } of this.objects(QUARANTINE_PREFIX, signal)) {
        const { id, key: origin } = SET_ASIDE.exec(key.slice(QUARANTINE_PREFIX.length))?.groups ?? {};
        if (id !== undefined && origin !== undefined) yield this.toSetAside(id, origin, size);
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw toUnavailable(error, 'Cannot list what was set aside');
    }
  }

  async setAside(entry: StoredEntry, id: string, { signal }: CallOptions): Promise<SetAside> {
    const key = this.keyOf(entry.location);
    try {
      if (entry.partialOf !== null) {
        await abortUpload(this.connection, { key, id: entry.partialOf }, signal);
        return { outcome: 'removed' };
      }
      const head = await this.connection.findHead(key, signal);
      if (head === undefined) return { outcome: 'gone' };
      if (versionOf(head) !== entry.version) return { outcome: 'changed' };
      const aside = this.toSetAside(id, key, head.size);
      const to = this.keyOf(aside.location);
      await copyObject(this.connection, { from: key, to, head, signal });
      // By now another worker may have set it aside, and an upload may have written data in its place.
      const isMeant = (now: ObjectHead) => versionOf(now) === entry.version && now.uploadId === head.uploadId;
      if (await removeUnchanged(this.connection, key, isMeant, signal))
        return { outcome: 'set-aside', entry: aside };
      await this.remove(to, signal);
      return { outcome: 'changed' };
    } catch (error) {
      signal?.throwIfAborted();
      // The copy is refused where its source is not what was listed, or no more.
      if (statusOf(error) === 412) return { outcome: 'changed' };
      if (statusOf(error) === 404) return { outcome: 'gone' };
      throw toWriteError(error, 'Cannot set image data aside');
    }
  }

  async putBack(entry: SetAsideEntry, { signal }: CallOptions): Promise<void> {
    const from = this.keyOf(entry.location);
    const to = this.keyOf(entry.origin);
    try {
      const head = await this.connection.findHead(from, signal);
      if (head === undefined) throw notSetAside();
      const there = await this.connection.findHead(to, signal);
      // A process that died in between has copied it already.
      const isCopy =
        there !== undefined &&
        there.size === head.size &&
        there.uploadId === head.uploadId &&
        there.etag === head.etag;
      if (!isCopy) await copyObject(this.connection, { from, to, head, signal });
      await this.remove(from, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw toWriteError(error, 'Cannot put image data back');
    }
  }

  async discard({ location }: SetAsideEntry, { signal }: CallOptions): Promise<void> {
    const key = this.keyOf(location);
    try {
      await this.remove(key, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw toWriteError(error, 'Cannot remove what was set aside');
    }
  }

  private async *incomplete(signal: AbortSignal | undefined): AsyncGenerator<StoredEntry> {
    for await (const upload of listUploads(this.connection, { signal })) {
      const measured = await measureUpload(this.connection, upload, signal);
      if (measured === undefined) continue;
      yield { ...this.named(upload.key), ...measured, partialOf: upload.id, version: upload.id };
    }
  }

  private async *objects(prefix: string, signal: AbortSignal | undefined): AsyncGenerator<Listed> {
    const { client, bucket } = this.connection;
    for (let token: string | undefined = ''; token !== undefined;) {
      const page: { readonly objects: readonly Listed[]; readonly next: string | undefined } = await client
        .send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            ...(token === '' ? {} : { ContinuationToken: token }),
          }),
          { abortSignal: signal },
        )
        .then(({ Contents = [], IsTruncated, NextContinuationToken }) => ({
          objects: Contents.map(({ Key = '', Size = 0, ETag = '', LastModified }) => ({
            key: Key,
            size: Size,
            etag: ETag,
            modifiedAt: LastModified?.getTime() ?? 0,
          })),
          next: IsTruncated === true ? NextContinuationToken : undefined,
        }));
      signal?.throwIfAborted();
      yield* page.objects;
      token = page.next;
    }
  }

  private named(key: string) {
    const location = { uri: locationOf(this.options, key) };
    return { name: key, key: isImageKey(key) ? key : null, location };
  }

  private toSetAside(id: string, key: string, size: number): SetAsideEntry {
    const { location: origin, ...named } = this.named(key);
    const location = { uri: locationOf(this.options, `${QUARANTINE_PREFIX}${id}.${key}`) };
    return { id, ...named, partialOf: null, size, location, origin };
  }

  private keyOf(location: Location): string {
    return getKeyOfLocation(this.options, location);
  }

  private async remove(key: string, signal: AbortSignal | undefined): Promise<void> {
    const { client, bucket } = this.connection;
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
  }
}

import { Readable } from 'node:stream';
import type { DataInspector } from '@glimpse/inspector';
import type { StoreDriver, StoredObject } from '@glimpse/stores';
import type { HashPool } from './hashing/hash-pool.js';
import { filledSlots } from './filled-slots.js';
import { freeChunk } from './memory/free-chunk.js';
import { LentChunks } from './memory/lent-chunks.js';
import type { Slot } from './memory/slot.js';
import type { SlotShare } from './memory/slot-pool.js';
import { sourceChunks } from './source-chunks.js';
import { type Digests, HashStage } from './stages/hash.stage.js';
import { InspectStage } from './stages/inspect.stage.js';
import { LimitStage } from './stages/limit.stage.js';
import { ProgressStage } from './stages/progress.stage.js';

/** What to store, where, and what to find out about it on the way. */
export interface StoreImageRequest {
  readonly driver: StoreDriver;
  /** Names the object: the image's id. */
  readonly key: string;
  /** The data. Its owner destroys it, whatever comes of the transfer: there may still be a client to answer. */
  readonly source: Readable;
  /**
   * Nobody else holds the chunks of the source, as with the body of a request: their memory is freed as soon as it was
   * read, which halves the cost of receiving.
   */
  readonly ownsChunks?: boolean;
  readonly uploadId: string;
  /** Algorithm of `osHashValue`, a name that `node:crypto` knows; null where none is wanted. */
  readonly hashAlgorithm: string | null;
  /** Whether the MD5 `checksum` is computed. */
  readonly md5: boolean;
  /** Largest size that is accepted, in bytes. */
  readonly sizeCap: number;
  /** Exact number of bytes, where the client announced it. */
  readonly expectedSize?: number | undefined;
  /** Refuses data that is not acceptable (`IMAGE_FORMAT_REFUSED`). */
  readonly inspector?: DataInspector | undefined;
  /** Ends the transfer, also while the source is idle. */
  readonly signal?: AbortSignal | undefined;
  /** Called with every chunk that comes. */
  readonly onProgress?: ((bytesDone: number) => void) | undefined;
  /** Called when all of the source was read, with its size, and what is left is to make it durable. */
  readonly onRead?: ((size: number) => void) | undefined;
}

/** An object that was stored, with what was measured while it passed. */
export interface StoredImage extends StoredObject {
  /** MD5 in lower-case hex; null where it is switched off. */
  readonly checksum: string | null;
  /** Null where none was wanted. */
  readonly osHashAlgo: string | null;
  readonly osHashValue: string | null;
  /** Size of the disk in the image; null where the content doesn't tell or no inspector looked. */
  readonly virtualSize: number | null;
  /** What is odd about the content; null where nothing is. */
  readonly formatWarning: string | null;
}

/** Slots that wait for the driver: while it writes one, the next are received. */
const READ_AHEAD_SLOTS = 2;

/** One image on its way from a source through the stages into a store. */
export class Transfer {
  private readonly limit: LimitStage;
  private readonly hash: HashStage;
  private readonly inspect: InspectStage | undefined;
  private readonly progress: ProgressStage | undefined;
  private readonly lent = new LentChunks();
  /** Ends the wait for the source when the driver has failed. */
  private readonly ended = new AbortController();
  private digests: Promise<Digests> = Promise.resolve(new Map());

  /** Throws `QUOTA_EXCEEDED` where the announced size is too large. */
  constructor(
    private readonly request: StoreImageRequest,
    private readonly slots: SlotShare,
    hashes: HashPool,
  ) {
    const { hashAlgorithm, md5, inspector, onProgress } = request;
    this.limit = new LimitStage(request.sizeCap, request.expectedSize);
    this.hash = new HashStage(
      hashes,
      new Set([hashAlgorithm, md5 ? 'md5' : null].filter((algorithm) => algorithm !== null)),
    );
    this.inspect = inspector === undefined ? undefined : new InspectStage(inspector);
    this.progress = onProgress === undefined ? undefined : new ProgressStage(onProgress);
  }

  async run(): Promise<StoredImage> {
    // A source may fail before the driver begins to read, when nobody listens yet; the failure is found when it does.
    this.request.source.on('error', () => undefined);
    try {
      const stored = await this.write();
      return this.describe(stored, await this.digests);
    } finally {
      this.ended.abort();
      this.hash.close();
      this.lent.releaseAll();
    }
  }

  private write(): Promise<StoredObject> {
    const { driver, key, uploadId, expectedSize, signal } = this.request;
    // In object mode chunks arrive one by one, as they are; in byte mode several are joined, which copies them.
    const data = Readable.from(this.chunks(), { objectMode: true, highWaterMark: READ_AHEAD_SLOTS });
    return driver.write(key, data, {
      uploadId,
      ...(expectedSize === undefined ? {} : { expectedSize }),
      ...(signal === undefined ? {} : { signal }),
      releaseChunk: (chunk) => this.lent.release(chunk),
    });
  }

  private async *chunks(): AsyncGenerator<Buffer> {
    const { releasesChunks } = this.request.driver.capabilities;
    for await (const slot of this.filledSlots()) {
      this.hash.accept(slot);
      yield releasesChunks ? this.lent.lend(slot) : Buffer.from(slot.bytes);
    }
    this.limit.finish();
    this.request.onRead?.(this.limit.size);
    this.inspect?.finish();
    // Not awaited here: the driver makes the data durable meanwhile.
    this.digests = this.hash.finish();
    this.digests.catch(() => undefined);
  }

  private filledSlots(): AsyncGenerator<Slot> {
    const whenTaken = this.request.ownsChunks === true ? freeChunk : undefined;
    return filledSlots(this.receivedChunks(), this.slots, whenTaken);
  }

  private async *receivedChunks(): AsyncGenerator<Buffer> {
    const { source, signal } = this.request;
    const ended = this.ended.signal;
    const either = signal === undefined ? ended : AbortSignal.any([signal, ended]);
    for await (const chunk of sourceChunks(source, either)) {
      this.limit.accept(chunk);
      this.inspect?.accept(chunk);
      this.progress?.accept(chunk);
      yield chunk;
    }
  }

  private describe(stored: StoredObject, digests: Digests): StoredImage {
    const { hashAlgorithm, md5 } = this.request;
    return {
      ...stored,
      checksum: md5 ? (digests.get('md5') ?? null) : null,
      osHashAlgo: hashAlgorithm,
      osHashValue: hashAlgorithm === null ? null : (digests.get(hashAlgorithm) ?? ''),
      virtualSize: this.inspect?.virtualSize ?? null,
      formatWarning: this.inspect?.warning ?? null,
    };
  }
}

import { Readable } from 'node:stream';
import type { StoreDriver, StoredObject } from '@glimpse/stores';
import type { HashPool } from './hashing/hash-pool.js';
import { filledSlots } from './filled-slots.js';
import { freeChunk } from './memory/free-chunk.js';
import { LentChunks } from './memory/lent-chunks.js';
import type { Slot } from './memory/slot.js';
import type { SlotShare } from './memory/slot-pool.js';
import { type MeasureRequest, type Measured, Measurement } from './measurement.js';
import { sourceChunks } from './source-chunks.js';
import type { Digests } from './stages/hash.stage.js';

/** What to store, where, and what to find out about it on the way. */
export interface StoreImageRequest extends MeasureRequest {
  readonly driver: StoreDriver;
  /** Names the object: the image's id. */
  readonly key: string;
  /**
   * Nobody else holds the chunks of the source, as with the body of a request: their memory is freed as soon as it was
   * read, which halves the cost of receiving.
   */
  readonly ownsChunks?: boolean;
  readonly uploadId: string;
  /** Algorithm of `osHashValue`, a name that `node:crypto` knows; null where none is wanted. */
  readonly hashAlgorithm: string | null;
  /** Called when all of the source was read, with its size, and what is left is to make it durable. */
  readonly onRead?: ((size: number) => void) | undefined;
}

/** An object that was stored, with what was measured while it passed. */
export interface StoredImage extends StoredObject, Measured {
  /** Null where none was wanted. */
  readonly osHashAlgo: string | null;
  readonly osHashValue: string | null;
}

/** Slots that wait for the driver: while it writes one, the next are received. */
const READ_AHEAD_SLOTS = 2;

/** One image on its way from a source through the stages into a store. */
export class Transfer {
  private readonly measurement: Measurement;
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
    const { hashAlgorithm } = request;
    this.measurement = new Measurement(request, hashAlgorithm === null ? [] : [hashAlgorithm], hashes);
  }

  async run(): Promise<StoredImage> {
    try {
      const stored = await this.write();
      return this.describe(stored, await this.digests);
    } finally {
      this.ended.abort();
      this.measurement.close();
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
      this.measurement.accept(slot);
      yield releasesChunks ? this.lent.lend(slot) : Buffer.from(slot.bytes);
    }
    // Not awaited here: the driver makes the data durable meanwhile.
    this.digests = this.measurement.finish();
    this.request.onRead?.(this.measurement.size);
  }

  private filledSlots(): AsyncGenerator<Slot> {
    const { source, signal, ownsChunks } = this.request;
    const ended = this.ended.signal;
    const either = signal === undefined ? ended : AbortSignal.any([signal, ended]);
    const chunks = this.measurement.lookAt(sourceChunks(source, either));
    return filledSlots(chunks, this.slots, ownsChunks === true ? freeChunk : undefined);
  }

  private describe(stored: StoredObject, digests: Digests): StoredImage {
    const { hashAlgorithm } = this.request;
    return {
      ...this.measurement.describe(digests),
      ...stored,
      osHashAlgo: hashAlgorithm,
      osHashValue: hashAlgorithm === null ? null : (digests.get(hashAlgorithm) ?? ''),
    };
  }
}

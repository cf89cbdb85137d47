import { Readable } from 'node:stream';
import { ServiceError } from '@glimpse/contracts';
import type { StoreDriver, StoredObject } from '@glimpse/stores';
import { LentChunks } from './memory/lent-chunks.js';
import type { Slot } from './memory/slot.js';

/** Slots that wait for the driver: while it writes one, the next are received. */
const READ_AHEAD_SLOTS = 2;

/** What came of one store: the object, or why there is none. Nothing is left there then. */
export type BranchOutcome =
  | { readonly object: StoredObject }
  /** Whatever it was, seen as the driver's error. */
  | { readonly error: unknown };

/** One of the stores that a transfer writes to at once. One that fails takes nothing more, and keeps nobody waiting. */
export class Branch {
  /** Never rejects. */
  readonly outcome: Promise<BranchOutcome>;
  private readonly lent = new LentChunks();
  private readonly data: Readable;
  private wake: () => void = () => undefined;
  private hasRoom = false;
  private hasEnded = false;

  constructor(
    private readonly driver: StoreDriver,
    write: {
      readonly key: string;
      readonly uploadId: string;
      readonly expectedSize: number | undefined;
      readonly isSparse: boolean | undefined;
      readonly signal: AbortSignal | undefined;
    },
  ) {
    this.data = new Readable({
      objectMode: true,
      highWaterMark: READ_AHEAD_SLOTS,
      read: () => {
        this.hasRoom = true;
        this.wake();
      },
    });
    // It fails when the whole transfer does, when nobody may be reading.
    this.data.on('error', () => undefined);
    const { key, uploadId, expectedSize, isSparse, signal } = write;
    this.outcome = driver
      .write(key, this.data, {
        uploadId,
        ...(expectedSize === undefined ? {} : { expectedSize }),
        ...(isSparse === undefined ? {} : { isSparse }),
        ...(signal === undefined ? {} : { signal }),
        releaseChunk: (chunk) => this.lent.release(chunk),
      })
      .then(
        (object) => ({ object }),
        (error: unknown) => ({ error }),
      )
      .finally(() => {
        this.hasEnded = true;
        this.data.destroy();
        this.lent.releaseAll();
        this.wake();
      });
  }

  get isOpen(): boolean {
    return !this.hasEnded;
  }

  /** Resolves when the branch may be given the next slot, or has ended. */
  async offer(slot: Slot): Promise<void> {
    while (!this.hasRoom && !this.hasEnded)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    if (this.hasEnded) return;
    const chunk = this.driver.capabilities.releasesChunks ? this.lent.lend(slot) : Buffer.from(slot.bytes);
    this.hasRoom = this.data.push(chunk);
  }

  /** There is no more data. */
  end(): void {
    if (!this.hasEnded) this.data.push(null);
  }

  /** The transfer failed: what was written is removed by the driver. */
  fail(reason: unknown): void {
    if (this.hasEnded) return;
    const error =
      reason instanceof ServiceError
        ? reason
        : new ServiceError('TRANSFER_ABORTED', 'The data broke off before its end', { cause: reason });
    this.data.destroy(error);
  }
}

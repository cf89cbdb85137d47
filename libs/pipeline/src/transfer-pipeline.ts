import { HashPool } from './hashing/hash-pool.js';
import { FanOut, type FanOutRequest, type FannedOut } from './fan-out.js';
import { SlotPool } from './memory/slot-pool.js';
import { type HashImageRequest, type HashedImage, hashImage } from './hash-image.js';
import { type StoreImageRequest, type StoredImage, Transfer } from './transfer.js';

/** Moves image data into stores. One per process: it holds the memory and the threads that transfers share. */
export class TransferPipeline {
  private readonly slots = new SlotPool();
  private readonly hashes = new HashPool();

  /**
   * Streams the source into the store, in constant memory. Resolves when the data is durable and hashed. When it
   * rejects nothing is left in the store. Codes: `IMAGE_SIZE_MISMATCH`, `QUOTA_EXCEEDED`, `IMAGE_FORMAT_REFUSED` by
   * the inspector, `TRANSFER_ABORTED` where the source broke off or the signal ended it, and the driver's.
   */
  async storeImage(request: StoreImageRequest): Promise<StoredImage> {
    return new Transfer(request, this.slots.openShare(), this.hashes).run();
  }

  /**
   * Reads the source to its end, in constant memory, to hash it. Codes: `IMAGE_SIZE_MISMATCH`, `QUOTA_EXCEEDED`, and
   * `TRANSFER_ABORTED` where the source broke off or the signal ended it.
   */
  hashImage(request: HashImageRequest): Promise<HashedImage> {
    return hashImage(request, this.slots.openShare(), this.hashes);
  }

  /**
   * Streams the source into several stores at once, in constant memory. Resolves when each of them has it or has failed
   * to take it, in which case nothing is left there. Where all must succeed and one fails after others have it, theirs is
   * the caller's to remove. Rejects, with nothing left anywhere but there, with `StoresFailed` where no store is left to
   * read for, and as `storeImage` where it is the source that fails.
   */
  async fanOut(request: FanOutRequest): Promise<FannedOut> {
    return new FanOut(request, this.slots.openShare(), this.hashes).run();
  }

  /** Ends the threads. Transfers that still run fail. */
  close(): Promise<void> {
    return this.hashes.close();
  }
}

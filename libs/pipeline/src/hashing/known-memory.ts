import { MAX_IDLE_SLOTS } from '../memory/slot-pool.js';
import type { SentMemory } from './hash-protocol.js';

/**
 * Which pieces of shared memory a thread has been sent, so that each goes once. Sending one again makes a new object
 * in the thread, which its garbage collector counts with all its bytes: it then ran all the time.
 */
export class KnownMemory {
  /** The one that was used longest ago comes first. */
  private readonly ids = new Map<SharedArrayBuffer, number>();
  private lastId = 0;

  /** `capacity` bounds what a thread keeps alive that nobody else uses any more; what the pool keeps stays known. */
  constructor(private readonly capacity = MAX_IDLE_SLOTS) {}

  /** What to send for `buffer`. */
  describe(buffer: SharedArrayBuffer): SentMemory {
    const known = this.ids.get(buffer);
    const id = known ?? ++this.lastId;
    this.ids.delete(buffer);
    this.ids.set(buffer, id);
    if (known !== undefined) return { id };
    const forget = this.dropOldest();
    return forget === undefined ? { id, buffer } : { id, buffer, forget };
  }

  private dropOldest(): number | undefined {
    const [oldest] = this.ids;
    if (oldest === undefined || this.ids.size <= this.capacity) return undefined;
    this.ids.delete(oldest[0]);
    return oldest[1];
  }
}

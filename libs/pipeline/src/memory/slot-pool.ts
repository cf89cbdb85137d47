import { Slot } from './slot.js';

/** A transfer always gets so many slots: one to receive into, one that is hashed and written. */
const GUARANTEED_SLOTS = 2;
/** More don't make one transfer faster. */
const MAX_SLOTS_PER_TRANSFER = 8;
/** While this many are in use, by all transfers together, each has to do with what is guaranteed. */
const SHARED_LIMIT = 64;
/**
 * Idle slots that are kept for the next transfers: all that were used at once. Each that is let go of stays in memory until the
 * garbage collectors of all threads that know it have run, and these have little else to do.
 */
export const MAX_IDLE_SLOTS = SHARED_LIMIT;

/** A transfer's part of the pool. */
export interface SlotShare {
  /** Resolves with an empty slot as soon as the transfer may have one. */
  take(): Promise<Slot>;
}

class Share implements SlotShare {
  held = 0;

  constructor(private readonly wait: (share: Share) => Promise<Slot>) {}

  take(): Promise<Slot> {
    return this.wait(this);
  }
}

interface Waiter {
  readonly share: Share;
  readonly grant: (slot: Slot) => void;
}

/**
 * The memory of all transfers of the process: bounded by 64 slots, or by two for each transfer where that is more.
 * Nobody ever waits for the slots that another, slow transfer holds.
 */
export class SlotPool {
  private readonly idle: Slot[] = [];
  private waiters: Waiter[] = [];
  private inUse = 0;

  openShare(): SlotShare {
    return new Share(
      (share) =>
        new Promise((grant) => {
          this.waiters.push({ share, grant });
          this.serveWaiters();
        }),
    );
  }

  private serveWaiters(): void {
    this.waiters = this.waiters.filter(({ share, grant }) => {
      if (!this.mayTake(share)) return true;
      grant(this.lendTo(share));
      return false;
    });
  }

  private mayTake({ held }: Share): boolean {
    return held < GUARANTEED_SLOTS || (held < MAX_SLOTS_PER_TRANSFER && this.inUse < SHARED_LIMIT);
  }

  private lendTo(share: Share): Slot {
    share.held++;
    this.inUse++;
    const slot = this.idle.pop() ?? new Slot();
    return slot.lend(() => {
      share.held--;
      this.inUse--;
      if (this.idle.length < MAX_IDLE_SLOTS) this.idle.push(slot);
      this.serveWaiters();
    });
  }
}

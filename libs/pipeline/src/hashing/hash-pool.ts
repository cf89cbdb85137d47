import { availableParallelism } from 'node:os';
import type { Slot } from '../memory/slot.js';
import { HashThread } from './hash-thread.js';

/** A hash that a thread computes, fed with shared memory. */
export interface ThreadedHash {
  /** Holds the slot until the thread has read it. */
  update(slot: Slot): void;
  /** In lower-case hex. Rejects where the thread died. */
  digest(): Promise<string>;
  /** Gives the hash up; without effect after `digest`. */
  drop(): void;
}

interface PooledThread {
  readonly thread: HashThread;
  /** Hashes that were begun and are not finished. */
  openHashes: number;
}

/**
 * Threads that compute hashes for all transfers of the process. They start when they are first needed and are
 * used again. A transfer has few slots in flight and threads work in the order of requests, so that transfers that
 * share a thread advance alike.
 */
export class HashPool {
  private threads: PooledThread[] = [];
  private lastHashId = 0;

  /** Two at least: a transfer's two hashes are computed at the same time. */
  constructor(private readonly maxThreads = Math.max(2, availableParallelism())) {}

  /** Begins a hash, on the thread that has the fewest. `algorithm` is one of `crypto.getHashes()`. */
  begin(algorithm: string): ThreadedHash {
    const pooled = this.pickThread();
    const { thread } = pooled;
    const hashId = ++this.lastHashId;
    let isOpen = true;
    const end = () => {
      if (isOpen) pooled.openHashes--;
      isOpen = false;
    };
    pooled.openHashes++;
    // A thread that dies fails the digest as well, and that is where it is reported.
    const settled = (work: Promise<unknown>, then = () => {}) => void work.then(then, then);
    settled(thread.begin(hashId, algorithm));
    return {
      update: (slot) => {
        slot.retain();
        settled(thread.update(hashId, slot.memory, slot.length), () => slot.release());
      },
      digest: () => {
        end();
        return thread.digest(hashId);
      },
      drop: () => {
        if (isOpen) settled(thread.drop(hashId));
        end();
      },
    };
  }

  /** Ends the threads; hashes that are under way fail. */
  async close(): Promise<void> {
    const threads = this.threads;
    this.threads = [];
    await Promise.all(threads.map(({ thread }) => thread.close()));
  }

  private pickThread(): PooledThread {
    this.threads = this.threads.filter(({ thread }) => !thread.hasFailed);
    const [idlest] = this.threads.toSorted((a, b) => a.openHashes - b.openHashes);
    const canGrow = this.threads.length < this.maxThreads;
    if (idlest !== undefined && (idlest.openHashes === 0 || !canGrow)) return idlest;
    const started = { thread: new HashThread(), openHashes: 0 };
    this.threads.push(started);
    return started;
  }
}

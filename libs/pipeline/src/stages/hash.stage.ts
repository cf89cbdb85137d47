import { createHash } from 'node:crypto';
import type { HashPool, ThreadedHash } from '../hashing/hash-pool.js';
import type { Slot } from '../memory/slot.js';

/** Digests in lower-case hex by the name of their algorithm. */
export type Digests = ReadonlyMap<string, string>;

/**
 * Computes the hashes of a transfer, each on its own thread. What fits in one slot is hashed on the spot: the way
 * to the threads and back would take longer.
 */
export class HashStage {
  private threaded: ReadonlyMap<string, ThreadedHash> | undefined;
  private inline: Digests | undefined;

  constructor(
    private readonly pool: HashPool,
    private readonly algorithms: ReadonlySet<string>,
  ) {}

  /** Takes the slots of a transfer in order; all but the last are full. Holds them for as long as it needs. */
  accept(slot: Slot): void {
    if (this.threaded === undefined && !slot.isFull) {
      this.inline = this.digestAtOnce(slot.bytes);
      return;
    }
    this.threaded ??= new Map(
      [...this.algorithms].map((algorithm) => [algorithm, this.pool.begin(algorithm)]),
    );
    for (const hash of this.threaded.values()) hash.update(slot);
  }

  /** Resolves when everything that was accepted has been hashed. */
  async finish(): Promise<Digests> {
    if (this.threaded === undefined) return this.inline ?? this.digestAtOnce(Buffer.alloc(0));
    return new Map(
      await Promise.all(
        [...this.threaded].map(async ([algorithm, hash]) => [algorithm, await hash.digest()] as const),
      ),
    );
  }

  /** Gives up what is not finished. */
  close(): void {
    for (const hash of this.threaded?.values() ?? []) hash.drop();
  }

  private digestAtOnce(bytes: Buffer): Digests {
    return new Map(
      [...this.algorithms].map((algorithm) => [algorithm, createHash(algorithm).update(bytes).digest('hex')]),
    );
  }
}

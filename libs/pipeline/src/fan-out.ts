import { ServiceError } from '@glimpse/contracts';
import type { StoreDriver } from '@glimpse/stores';
import { Branch, type BranchOutcome } from './branch.js';
import { filledSlots } from './filled-slots.js';
import type { HashPool } from './hashing/hash-pool.js';
import type { SlotShare } from './memory/slot-pool.js';
import { type MeasureRequest, type Measured, Measurement } from './measurement.js';
import { sourceChunks } from './source-chunks.js';
import type { Digests } from './stages/hash.stage.js';

/** What to bring into several stores, reading it once. */
export interface FanOutRequest extends MeasureRequest {
  /** The stores by their id. */
  readonly drivers: ReadonlyMap<string, StoreDriver>;
  /** Names the object in each of them: the image's id. */
  readonly key: string;
  readonly uploadId: string;
  /** There are long runs of zeros in the data, as in a disk: see `WriteOptions.isSparse`. */
  readonly isSparse?: boolean | undefined;
  /** Gives up all of them as soon as one fails. */
  readonly allMustSucceed: boolean;
  /** Algorithm of `osHashValue`, a name that `node:crypto` knows. */
  readonly hashAlgorithm: string;
  /** Digests that the data must have, by algorithm; else nothing is stored (`TRANSFER_ABORTED`). */
  readonly expectedDigests?: ReadonlyMap<string, string> | undefined;
  /** Called when all of the source was read, with its size, and what is left is to make it durable. */
  readonly onRead?: ((size: number) => void) | undefined;
}

/** What was read, and what each store has of it. */
export interface FannedOut extends Measured {
  readonly osHashAlgo: string;
  readonly osHashValue: string;
  readonly outcomes: ReadonlyMap<string, BranchOutcome>;
}

const differs = () =>
  new ServiceError('TRANSFER_ABORTED', 'The data is not what its hash says: it is damaged');

const givenUp = () => new ServiceError('TRANSFER_ABORTED', 'Another store did not take the data');

/** One image on its way from a source into several stores. The slowest sets the pace. */
export class FanOut {
  private readonly measurement: Measurement;
  private readonly branches: ReadonlyMap<string, Branch>;
  /** Ends the reading when it is for nothing. */
  private readonly ended = new AbortController();

  /** Throws `QUOTA_EXCEEDED` where the announced size is too large. */
  constructor(
    private readonly request: FanOutRequest,
    private readonly slots: SlotShare,
    hashes: HashPool,
  ) {
    const { hashAlgorithm, expectedDigests, key, uploadId, expectedSize, isSparse, signal } = request;
    this.measurement = new Measurement(request, [hashAlgorithm, ...(expectedDigests?.keys() ?? [])], hashes);
    this.branches = new Map(
      [...request.drivers].map(([id, driver]) => [
        id,
        new Branch(driver, { key, uploadId, expectedSize, isSparse, signal }),
      ]),
    );
  }

  /** Rejects where the source failed, and where no store is left to read it for: then nothing is stored. */
  async run(): Promise<FannedOut> {
    const { hashAlgorithm } = this.request;
    for (const branch of this.branches.values()) void this.watch(branch);
    try {
      const digests = await this.read();
      const outcomes = await this.settle();
      return {
        ...this.measurement.describe(digests),
        osHashAlgo: hashAlgorithm,
        osHashValue: digests.get(hashAlgorithm) ?? '',
        outcomes,
      };
    } catch (error) {
      // Looked at now: from here on the stores fail because of what has failed.
      const reason = this.failureOfStores();
      const why = reason === undefined ? error : givenUp();
      for (const branch of this.branches.values()) branch.fail(why);
      const outcomes = await this.settle();
      throw reason === undefined ? error : this.storesFailed(reason.error, outcomes);
    } finally {
      this.measurement.close();
    }
  }

  private async read(): Promise<Digests> {
    const { source, signal } = this.request;
    const ended = this.ended.signal;
    const either = signal === undefined ? ended : AbortSignal.any([signal, ended]);
    const chunks = this.measurement.lookAt(sourceChunks(source, either));
    for await (const slot of filledSlots(chunks, this.slots)) {
      this.measurement.accept(slot);
      await Promise.all([...this.branches.values()].map((branch) => branch.offer(slot)));
      if (either.aborted) throw either.reason;
    }
    const digests = this.measurement.finish();
    this.request.onRead?.(this.measurement.size);
    const { expectedDigests } = this.request;
    // What must be right is known to be before anything is published.
    if (expectedDigests !== undefined) checkDigests(await digests, expectedDigests);
    for (const branch of this.branches.values()) branch.end();
    return digests;
  }

  /** Ends the reading when there is no store left, or not all that are needed. */
  private async watch(branch: Branch): Promise<void> {
    const outcome = await branch.outcome;
    if (!('error' in outcome)) return;
    const isForNothing =
      this.request.allMustSucceed || [...this.branches.values()].every(({ isOpen }) => !isOpen);
    if (isForNothing) this.ended.abort(outcome.error);
  }

  private async settle(): Promise<Map<string, BranchOutcome>> {
    return new Map(
      await Promise.all([...this.branches].map(async ([id, branch]) => [id, await branch.outcome] as const)),
    );
  }

  /** The failure of a store for which the reading was ended; undefined where it was not. */
  private failureOfStores(): { readonly error: unknown } | undefined {
    const isTheirs = this.ended.signal.aborted && this.request.signal?.aborted !== true;
    return isTheirs ? { error: this.ended.signal.reason } : undefined;
  }

  /** With the stores that failed by themselves, and not because others had. */
  private storesFailed(reason: unknown, outcomes: ReadonlyMap<string, BranchOutcome>): StoresFailed {
    const failed = [...outcomes].flatMap(([id, outcome]) =>
      'error' in outcome && (outcome.error === reason || !this.request.allMustSucceed)
        ? [[id, outcome.error] as const]
        : [],
    );
    return new StoresFailed(new Map(failed));
  }
}

function checkDigests(digests: Digests, expected: ReadonlyMap<string, string>): void {
  for (const [algorithm, value] of expected) if (digests.get(algorithm) !== value) throw differs();
}

/** The data was not stored because these stores did not take it. */
export class StoresFailed extends Error {
  override readonly name = 'StoresFailed';

  constructor(readonly reasons: ReadonlyMap<string, unknown>) {
    super('The stores did not take the data');
  }
}

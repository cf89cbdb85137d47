import type { Readable } from 'node:stream';
import type { DataInspector } from '@glimpse/inspector';
import { ServiceError } from '@glimpse/contracts';
import type { StoreDriver } from '@glimpse/stores';
import { Branch, type BranchOutcome } from './branch.js';
import { filledSlots } from './filled-slots.js';
import type { HashPool } from './hashing/hash-pool.js';
import type { SlotShare } from './memory/slot-pool.js';
import { sourceChunks } from './source-chunks.js';
import { type Digests, HashStage } from './stages/hash.stage.js';
import { InspectStage } from './stages/inspect.stage.js';
import { LimitStage } from './stages/limit.stage.js';
import { ProgressStage } from './stages/progress.stage.js';

/** What to bring into several stores, reading it once. */
export interface FanOutRequest {
  /** The stores by their id. */
  readonly drivers: ReadonlyMap<string, StoreDriver>;
  /** Names the object in each of them: the image's id. */
  readonly key: string;
  readonly uploadId: string;
  /** The data. Its owner destroys it. */
  readonly source: Readable;
  /** Gives up all of them as soon as one fails. */
  readonly allMustSucceed: boolean;
  /** Algorithm of `osHashValue`, a name that `node:crypto` knows. */
  readonly hashAlgorithm: string;
  /** Whether the MD5 `checksum` is computed. */
  readonly md5: boolean;
  /** Digests that the data must have, by algorithm; else nothing is stored (`TRANSFER_ABORTED`). */
  readonly expectedDigests?: ReadonlyMap<string, string> | undefined;
  /** Largest size that is accepted, in bytes. */
  readonly sizeCap: number;
  /** Exact number of bytes, where it is known. */
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

/** What was read, and what each store has of it. */
export interface FannedOut {
  readonly size: number;
  /** MD5 in lower-case hex; null where it is switched off. */
  readonly checksum: string | null;
  readonly osHashAlgo: string;
  readonly osHashValue: string;
  readonly virtualSize: number | null;
  /** What is odd about the content; null where nothing is. */
  readonly formatWarning: string | null;
  readonly outcomes: ReadonlyMap<string, BranchOutcome>;
}

const differs = () =>
  new ServiceError('TRANSFER_ABORTED', 'The data is not what its hash says: it is damaged');

const givenUp = () => new ServiceError('TRANSFER_ABORTED', 'Another store did not take the data');

/** One image on its way from a source into several stores. The slowest sets the pace. */
export class FanOut {
  private readonly limit: LimitStage;
  private readonly hash: HashStage;
  private readonly inspect: InspectStage | undefined;
  private readonly progress: ProgressStage | undefined;
  private readonly branches: ReadonlyMap<string, Branch>;
  /** Ends the reading when it is for nothing. */
  private readonly ended = new AbortController();

  /** Throws `QUOTA_EXCEEDED` where the announced size is too large. */
  constructor(
    private readonly request: FanOutRequest,
    private readonly slots: SlotShare,
    hashes: HashPool,
  ) {
    const { hashAlgorithm, md5, inspector, onProgress, expectedDigests, signal } = request;
    this.limit = new LimitStage(request.sizeCap, request.expectedSize);
    const algorithms = [hashAlgorithm, ...(md5 ? ['md5'] : []), ...(expectedDigests?.keys() ?? [])];
    this.hash = new HashStage(hashes, new Set(algorithms));
    this.inspect = inspector === undefined ? undefined : new InspectStage(inspector);
    this.progress = onProgress === undefined ? undefined : new ProgressStage(onProgress);
    const { key, uploadId, expectedSize } = request;
    this.branches = new Map(
      [...request.drivers].map(([id, driver]) => [
        id,
        new Branch(driver, { key, uploadId, expectedSize, signal }),
      ]),
    );
  }

  /** Rejects where the source failed, and where no store is left to read it for: then nothing is stored. */
  async run(): Promise<FannedOut> {
    const { source, hashAlgorithm, md5 } = this.request;
    // It may fail before the reading begins, when nobody listens yet.
    source.on('error', () => undefined);
    for (const branch of this.branches.values()) void this.watch(branch);
    try {
      const digests = await this.read();
      const outcomes = await this.settle();
      return {
        size: this.limit.size,
        checksum: md5 ? (digests.get('md5') ?? null) : null,
        osHashAlgo: hashAlgorithm,
        osHashValue: digests.get(hashAlgorithm) ?? '',
        virtualSize: this.inspect?.virtualSize ?? null,
        formatWarning: this.inspect?.warning ?? null,
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
      this.hash.close();
    }
  }

  private async read(): Promise<Digests> {
    const { source, signal } = this.request;
    const ended = this.ended.signal;
    const either = signal === undefined ? ended : AbortSignal.any([signal, ended]);
    for await (const slot of filledSlots(this.limited(sourceChunks(source, either)), this.slots)) {
      this.hash.accept(slot);
      await Promise.all([...this.branches.values()].map((branch) => branch.offer(slot)));
      if (either.aborted) throw either.reason;
    }
    this.limit.finish();
    this.request.onRead?.(this.limit.size);
    this.inspect?.finish();
    const { expectedDigests } = this.request;
    const digests = this.hash.finish();
    digests.catch(() => undefined);
    // What must be right is known to be before anything is published.
    if (expectedDigests !== undefined) checkDigests(await digests, expectedDigests);
    for (const branch of this.branches.values()) branch.end();
    return digests;
  }

  private async *limited(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.limit.accept(chunk);
      this.inspect?.accept(chunk);
      this.progress?.accept(chunk);
      yield chunk;
    }
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

import type { Readable } from 'node:stream';
import type { DataInspector } from '@glimpse/inspector';
import type { HashPool } from './hashing/hash-pool.js';
import type { Slot } from './memory/slot.js';
import { type Digests, HashStage } from './stages/hash.stage.js';
import { InspectStage } from './stages/inspect.stage.js';
import { LimitStage } from './stages/limit.stage.js';
import { ProgressStage } from './stages/progress.stage.js';

/** Data to read once, and what to find out about it meanwhile. */
export interface MeasureRequest {
  /** The data. Its owner destroys it, whatever comes of the transfer: there may still be a client to answer. */
  readonly source: Readable;
  /** Whether the MD5 `checksum` is computed. */
  readonly md5: boolean;
  /** Largest size that is accepted, in bytes. */
  readonly sizeCap: number;
  /** Exact number of bytes, where it is known. */
  readonly expectedSize?: number | undefined;
  /** Refuses data that is not acceptable (`IMAGE_FORMAT_REFUSED`). */
  readonly inspector?: DataInspector | undefined;
  /** Ends the reading, also while the source is idle. */
  readonly signal?: AbortSignal | undefined;
  /** Called with every chunk that comes. */
  readonly onProgress?: ((bytesDone: number) => void) | undefined;
}

/** What data turned out to be. */
export interface Measured {
  readonly size: number;
  /** MD5 in lower-case hex; null where it is switched off. */
  readonly checksum: string | null;
  /** Size of the disk in the image; null where the content doesn't tell or no inspector looked. */
  readonly virtualSize: number | null;
  /** What is odd about the content; null where nothing is. */
  readonly formatWarning: string | null;
}

/** The stages that data passes, wherever it goes. */
export class Measurement {
  private readonly limit: LimitStage;
  private readonly hash: HashStage;
  private readonly inspect: InspectStage | undefined;
  private readonly progress: ProgressStage | undefined;

  /** Throws `QUOTA_EXCEEDED` where the announced size is too large. */
  constructor(
    private readonly request: MeasureRequest,
    algorithms: readonly string[],
    hashes: HashPool,
  ) {
    const { md5, sizeCap, expectedSize, inspector, onProgress } = request;
    this.limit = new LimitStage(sizeCap, expectedSize);
    this.hash = new HashStage(hashes, new Set(md5 ? [...algorithms, 'md5'] : algorithms));
    this.inspect = inspector === undefined ? undefined : new InspectStage(inspector);
    this.progress = onProgress === undefined ? undefined : new ProgressStage(onProgress);
    // It may fail before the reading begins, when nobody listens yet; the failure is found when it does.
    request.source.on('error', () => undefined);
  }

  /** How many bytes have come. */
  get size(): number {
    return this.limit.size;
  }

  /** Shows the chunks to the stages as they pass. */
  async *lookAt(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.limit.accept(chunk);
      this.inspect?.accept(chunk);
      this.progress?.accept(chunk);
      yield chunk;
    }
  }

  /** Takes the slots that the chunks fill, in order. */
  accept(slot: Slot): void {
    this.hash.accept(slot);
  }

  /** The data has come to its end; throws where it may not be published. */
  finish(): Promise<Digests> {
    this.limit.finish();
    this.inspect?.finish();
    const digests = this.hash.finish();
    // Who waits for them may come to it later, or not at all.
    digests.catch(() => undefined);
    return digests;
  }

  describe(digests: Digests): Measured {
    return {
      size: this.limit.size,
      checksum: this.request.md5 ? (digests.get('md5') ?? null) : null,
      virtualSize: this.inspect?.virtualSize ?? null,
      formatWarning: this.inspect?.warning ?? null,
    };
  }

  /** Gives up what is not finished. */
  close(): void {
    this.hash.close();
  }
}

import type { Readable } from 'node:stream';
import type { DataInspector } from '@glimpse/inspector';
import type { HashPool } from './hashing/hash-pool.js';
import type { SlotShare } from './memory/slot-pool.js';
import { filledSlots } from './filled-slots.js';
import { sourceChunks } from './source-chunks.js';
import { HashStage } from './stages/hash.stage.js';
import { InspectStage } from './stages/inspect.stage.js';
import { LimitStage } from './stages/limit.stage.js';
import { ProgressStage } from './stages/progress.stage.js';
import type { Stage } from './stages/stage.js';

/** Data to read to its end, and what to find out about it. */
export interface HashImageRequest {
  /** The data; its owner destroys it. */
  readonly source: Readable;
  /** A name that `node:crypto` knows. */
  readonly hashAlgorithm: string;
  /** Whether the MD5 `checksum` is computed. */
  readonly md5: boolean;
  /** Largest size that is read, in bytes. */
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
export interface HashedImage {
  readonly size: number;
  /** MD5 in lower-case hex; null where it is switched off. */
  readonly checksum: string | null;
  readonly osHashValue: string;
  /** Size of the disk in the image; null where the content doesn't tell or no inspector looked. */
  readonly virtualSize: number | null;
}

/** Reads data that lies in a store already, in constant memory. */
export async function hashImage(
  request: HashImageRequest,
  slots: SlotShare,
  hashes: HashPool,
): Promise<HashedImage> {
  const { source, hashAlgorithm, md5, inspector, onProgress, signal } = request;
  const limit = new LimitStage(request.sizeCap, request.expectedSize);
  const hash = new HashStage(hashes, new Set(md5 ? [hashAlgorithm, 'md5'] : [hashAlgorithm]));
  const inspect = inspector === undefined ? undefined : new InspectStage(inspector);
  const progress = onProgress === undefined ? undefined : new ProgressStage(onProgress);
  // It may fail before the reading begins, when nobody listens yet.
  source.on('error', () => undefined);
  try {
    const chunks = lookedAt(sourceChunks(source, signal), limit, inspect, progress);
    for await (const slot of filledSlots(chunks, slots)) hash.accept(slot);
    limit.finish();
    inspect?.finish();
    const digests = await hash.finish();
    return {
      size: limit.size,
      checksum: md5 ? (digests.get('md5') ?? null) : null,
      osHashValue: digests.get(hashAlgorithm) ?? '',
      virtualSize: inspect?.virtualSize ?? null,
    };
  } finally {
    hash.close();
  }
}

async function* lookedAt(
  chunks: AsyncIterable<Buffer>,
  ...stages: readonly (Stage | undefined)[]
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    for (const stage of stages) stage?.accept(chunk);
    yield chunk;
  }
}

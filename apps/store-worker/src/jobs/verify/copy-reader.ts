import { Readable } from 'node:stream';
import { type RecordedData, ServiceError, isServiceError } from '@glimpse/contracts';
import { counter, metricNames } from '@glimpse/observability';
import type { HashedImage, TransferPipeline } from '@glimpse/pipeline';
import type { ResolvedLocation } from '@glimpse/stores';
import { paced } from './paced.js';
import type { HashPlan } from './recorded-hashes.js';

const verifiedBytes = counter({
  name: metricNames.verifiedBytes,
  help: 'Bytes of stored data that were read to verify it.',
  labelNames: ['store'],
});

export interface ReadRequest {
  readonly recorded: RecordedData;
  readonly plan: HashPlan;
  readonly bytesPerSecond: number | null;
  readonly signal: AbortSignal;
  readonly onProgress: (bytesDone: number) => void;
}

/** The copy as it was read; `wrong-size` where the store agrees that it has another number of bytes than recorded. */
export type Reading =
  | { readonly outcome: 'read'; readonly hashed: HashedImage }
  | { readonly outcome: 'wrong-size'; readonly size: number }
  | { readonly outcome: 'missing' };

/** Reads copies of images to their end, at a bounded rate. */
export class CopyReader {
  constructor(private readonly pipeline: TransferPipeline) {}

  /** Rejects where the store did not give the copy, or only a part of it: that says nothing of the data. */
  async read(from: ResolvedLocation, request: ReadRequest): Promise<Reading> {
    let bytes = 0;
    try {
      const source = await from.driver.read(from.location, { signal: request.signal });
      const counted = countChunks(source, (length) => {
        bytes += length;
        verifiedBytes.inc({ store: from.storeId }, length);
      });
      const data = Readable.from(paced(counted, request.bytesPerSecond, request.signal), {
        objectMode: true,
        highWaterMark: 1,
      });
      try {
        return { outcome: 'read', hashed: await this.hash(data, request) };
      } finally {
        data.destroy();
        source.destroy();
      }
    } catch (error) {
      request.signal.throwIfAborted();
      if (isServiceError(error, 'STORE_OBJECT_NOT_FOUND')) return this.missing(from, request.signal);
      if (isServiceError(error, 'IMAGE_SIZE_MISMATCH')) return this.wrongSize(from, request, bytes);
      throw error;
    }
  }

  private hash(source: Readable, { recorded, plan, signal, onProgress }: ReadRequest): Promise<HashedImage> {
    return this.pipeline.hashImage({
      source,
      ...plan,
      sizeCap: Number.MAX_SAFE_INTEGER,
      expectedSize: recorded.size ?? undefined,
      signal,
      onProgress,
    });
  }

  /** A store that is not well has nothing, and means nothing by it. */
  private async missing({ driver }: ResolvedLocation, signal: AbortSignal): Promise<Reading> {
    await driver.checkHealth({ signal });
    return { outcome: 'missing' };
  }

  private async wrongSize(
    { driver, location }: ResolvedLocation,
    { recorded, signal }: ReadRequest,
    bytes: number,
  ): Promise<Reading> {
    if (recorded.size !== null && bytes > recorded.size) return { outcome: 'wrong-size', size: bytes };
    const size = await driver.size(location, { signal });
    if (size === bytes) return { outcome: 'wrong-size', size };
    throw new ServiceError('STORE_UNAVAILABLE', `The store gave ${bytes} bytes of ${size}`);
  }
}

async function* countChunks(
  chunks: AsyncIterable<Buffer>,
  count: (length: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    count(chunk.length);
    yield chunk;
  }
}

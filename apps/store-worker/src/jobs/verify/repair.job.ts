import {
  type ImageLocation,
  type JobPayload,
  type JobResult,
  ServiceError,
  attemptIdOf,
  isServiceError,
  repairKeyOf,
} from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import type { StoredImage, TransferPipeline } from '@glimpse/pipeline';
import type { ResolvedLocation, StoreRegistry } from '@glimpse/stores';
import type { JobContext, JobHandler } from '../../runner/job-handler.js';
import type { CopyReader } from './copy-reader.js';
import { type HashPlan, isRecorded, planOf } from './recorded-hashes.js';

type Payload = JobPayload<'repair'>;
type Result = JobResult<'repair'>;

/** One attempt at a repair. */
interface Repair {
  readonly payload: Payload;
  /** Where the damaged copy is, and the good one goes. */
  readonly store: Pick<ResolvedLocation, 'storeId' | 'driver'>;
  readonly key: string;
  readonly plan: HashPlan;
  readonly context: JobContext;
}

/**
 * Writes a good copy of an image's data beside the damaged one, from another store, and reads it back before it counts.
 * The damaged data stays as it is: the registry lets go of it when the good copy is recorded. Repeatable: what another
 * attempt left is removed first.
 */
export class RepairJob implements JobHandler<'repair'> {
  readonly kind = 'repair';

  constructor(
    private readonly stores: StoreRegistry,
    private readonly copies: CopyReader,
    private readonly pipeline: TransferPipeline,
    private readonly logger: Logger,
  ) {}

  async run(payload: Payload, context: JobContext): Promise<Result> {
    const { imageId, repairId, location, recorded } = payload;
    const store = this.stores.resolve(location);
    const plan = planOf(recorded);
    if (!store.driver.capabilities.write) return notRepaired('The store takes no data');
    if (plan === undefined) return notRepaired('No hash is recorded by which a good copy could be told');
    const key = repairKeyOf(imageId, repairId);
    // This attempt too: one that was given back by a worker that stopped does not count.
    for (let attempt = 1; attempt <= context.attempt; attempt++)
      await store.driver.removeLeftovers(key, attemptIdOf(repairId, attempt), { signal: context.signal });
    return this.copyFromAny({ payload, store, key, plan, context });
  }

  private async copyFromAny(repair: Repair): Promise<Result> {
    const { payload, store, context } = repair;
    const suspects: string[] = [];
    let last: unknown;
    for (const source of payload.sources) {
      try {
        const copy = await this.copy(repair, source);
        if (copy === undefined) suspects.push(source.url);
        else {
          await this.readBack(repair, copy);
          return {
            outcome: 'repaired',
            location: this.stores.toImageLocation(store.storeId, copy),
            suspects,
          };
        }
      } catch (error) {
        context.signal.throwIfAborted();
        // What has no code is a defect.
        if (!isServiceError(error)) throw error;
        this.logger.warn({ err: error, image: payload.imageId }, 'a copy could not be repaired from here');
        last = error;
      }
    }
    if (isServiceError(last) && last.isRetryable) throw last;
    return notRepaired(isServiceError(last) ? last.message : 'No other copy is good', suspects);
  }

  /** Undefined, with nothing left, where the source is not what is recorded either. */
  private async copy(repair: Repair, source: ImageLocation): Promise<StoredImage | undefined> {
    const { payload, store, context } = repair;
    const { recorded } = payload;
    const from = this.stores.resolve(source);
    try {
      const data = await from.driver.read(from.location, { signal: context.signal });
      const copy = await this.store(repair, data).finally(() => data.destroy());
      if (isRecorded(recorded, { ...copy, osHashValue: copy.osHashValue ?? '' })) return copy;
      await store.driver.delete(copy.location, {});
      return undefined;
    } catch (error) {
      if (isServiceError(error, 'IMAGE_SIZE_MISMATCH') || isServiceError(error, 'STORE_OBJECT_NOT_FOUND'))
        return undefined;
      throw error;
    }
  }

  private store(
    { payload, store, key, plan, context }: Repair,
    source: Parameters<TransferPipeline['storeImage']>[0]['source'],
  ): Promise<StoredImage> {
    const { recorded, repairId } = payload;
    context.progress.phase('reading', recorded.size);
    return this.pipeline.storeImage({
      driver: store.driver,
      key,
      uploadId: attemptIdOf(repairId, context.attempt),
      source,
      ...plan,
      sizeCap: Number.MAX_SAFE_INTEGER,
      expectedSize: recorded.size ?? undefined,
      signal: context.signal,
      onProgress: (bytesDone) => context.progress.bytes(bytesDone),
    });
  }

  /** Throws STORE_UNAVAILABLE, with nothing left, where the store does not give back what it was given. */
  private async readBack(
    { payload, store, plan, context }: Repair,
    { location }: StoredImage,
  ): Promise<void> {
    const { recorded } = payload;
    context.progress.phase('verifying', recorded.size);
    try {
      const reading = await this.copies.read(
        { ...store, location },
        {
          recorded,
          plan,
          bytesPerSecond: null,
          signal: context.signal,
          onProgress: (bytesDone) => context.progress.bytes(bytesDone),
        },
      );
      if (reading.outcome === 'read' && isRecorded(recorded, reading.hashed)) return;
      throw new ServiceError('STORE_UNAVAILABLE', 'The store does not give back what was written to it');
    } catch (error) {
      // Another worker may be at it by now: the next attempt removes it.
      context.signal.throwIfAborted();
      await store.driver.delete(location, {});
      throw error;
    }
  }
}

const notRepaired = (reason: string, suspects: string[] = []): Result => ({
  outcome: 'not-repaired',
  reason,
  suspects,
});

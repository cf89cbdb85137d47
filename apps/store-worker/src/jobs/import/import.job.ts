import type { Config } from '@glimpse/config';
import { type JobPayload, type JobResult, attemptIdOf, isServiceError } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import { type FannedOut, StoresFailed, type TransferPipeline } from '@glimpse/pipeline';
import type { StoreDriver, StoreRegistry } from '@glimpse/stores';
import type { ImportSteps } from '../../conversion/import-steps.js';
import { preparedDataGuard } from '../../conversion/prepared-data-guard.js';
import type { JobContext, JobHandler } from '../../runner/job-handler.js';
import type { Candidate, ImportSources } from './import-sources.js';

type Payload = JobPayload<'import'>;
type Result = JobResult<'import'>;
type Failed = Result['failed'][number];

/** What was stored, and what else of the image is other than it was. */
type Stored = FannedOut & Pick<NonNullable<Result['data']>, 'diskFormat' | 'containerFormat' | 'properties'>;

const reasonOf = (error: unknown): string =>
  isServiceError(error) ? error.message : 'The store failed in an unforeseen way';

/**
 * Brings data into the stores of an import, reading it once. What another attempt left is removed first, so that it can be
 * repeated. Failures of the data and of stores are results; what may pass, and has nothing to do with either, rejects.
 */
export class ImportJob implements JobHandler<'import'> {
  readonly kind = 'import';

  constructor(
    private readonly stores: StoreRegistry,
    private readonly sources: ImportSources,
    private readonly steps: ImportSteps,
    private readonly pipeline: TransferPipeline,
    private readonly config: Pick<Config, 'formats' | 'images'>,
    private readonly logger: Logger,
  ) {}

  async run(payload: Payload, context: JobContext): Promise<Result> {
    const { drivers, unknown } = this.driversOf(payload);
    if (drivers.size === 0 || (payload.allMustSucceed && unknown.length > 0))
      return { data: null, stored: [], failed: unknown };
    await this.removeLeftovers(payload, drivers, context);
    const attempt = await this.transfer(payload, drivers, context);
    return 'failed' in attempt
      ? { ...attempt, failed: [...attempt.failed, ...unknown] }
      : this.conclude(payload, drivers, attempt, unknown, context.signal);
  }

  private driversOf({ storeIds }: Payload): { drivers: Map<string, StoreDriver>; unknown: Failed[] } {
    const drivers = new Map<string, StoreDriver>();
    const unknown: Failed[] = [];
    for (const storeId of storeIds) {
      const driver = this.stores.find(storeId);
      if (driver === undefined) unknown.push({ storeId, reason: 'The store-worker does not know the store' });
      else drivers.set(storeId, driver);
    }
    return { drivers, unknown };
  }

  /** The workers of the attempts before this one died, or could not remove what they had written. */
  private async removeLeftovers(
    { imageId, importId }: Payload,
    drivers: ReadonlyMap<string, StoreDriver>,
    { attempt, signal }: JobContext,
  ): Promise<void> {
    for (let earlier = 1; earlier < attempt; earlier++) {
      const attemptId = attemptIdOf(importId, earlier);
      await this.steps.removeLeftovers(attemptId);
      for (const driver of drivers.values())
        if (driver.capabilities.write) await driver.removeLeftovers(imageId, attemptId, { signal });
    }
  }

  private async transfer(
    payload: Payload,
    drivers: ReadonlyMap<string, StoreDriver>,
    context: JobContext,
  ): Promise<Stored | Result> {
    let last: unknown;
    for (const candidate of this.sources.candidatesOf(payload.source)) {
      try {
        return await this.read(payload, drivers, candidate, context);
      } catch (error) {
        context.signal.throwIfAborted();
        if (error instanceof StoresFailed) return storesFailed(error);
        // What has no code is a defect.
        if (!isServiceError(error)) throw error;
        this.logger.warn({ err: error, image: payload.imageId }, 'data could not be imported from here');
        last = error;
      }
    }
    // There may be room at the next attempt.
    if (isServiceError(last, 'SCRATCH_FULL')) throw last;
    // A store that does not answer may do so at the next attempt; web servers had theirs.
    if (!isRemote(payload) && isServiceError(last, 'STORE_UNAVAILABLE')) throw last;
    return {
      data: null,
      stored: [],
      failed: [...drivers.keys()].map((storeId) => ({ storeId, reason: reasonOf(last) })),
    };
  }

  private async read(
    payload: Payload,
    drivers: ReadonlyMap<string, StoreDriver>,
    candidate: Candidate,
    { attempt, signal, progress }: JobContext,
  ): Promise<Stored> {
    const { imageId, importId, allMustSucceed, sizeCap, steps } = payload;
    const attemptId = attemptIdOf(importId, attempt);
    const phase = isRemote(payload) ? 'downloading' : 'reading';
    progress.phase(phase);
    const source = await candidate({ signal, attemptId, progress });
    progress.phase(phase, source.size);
    try {
      const { diskFormat, containerFormat } = source.description ?? payload;
      const request = { source, steps, diskFormat, containerFormat, attemptId, sizeCap, signal, progress };
      const prepared = await this.steps.prepare(request);
      try {
        const { data, size, digests, reportsProgress, ...formats } = prepared;
        const stored = await this.pipeline.fanOut({
          drivers,
          key: imageId,
          uploadId: attemptId,
          source: data,
          allMustSucceed,
          hashAlgorithm: this.config.images.hashingAlgorithm,
          md5: this.config.images.md5Checksum,
          expectedDigests: digests,
          sizeCap,
          expectedSize: size,
          isSparse: payload.source.kind === 'snapshot',
          // A copy must be what is there already, whatever that is.
          inspector:
            payload.source.kind === 'copy'
              ? undefined
              : preparedDataGuard(prepared, steps, this.config.formats),
          signal,
          ...(reportsProgress ? {} : { onProgress: (bytesDone) => progress.bytes(bytesDone) }),
          onRead: (read) => progress.phase('storing', read, read),
        });
        if (stored.formatWarning !== null)
          this.logger.warn({ imageId, reason: stored.formatWarning }, 'an image has odd data');
        return { ...stored, ...changesOf(payload, formats), properties: source.description?.properties };
      } finally {
        prepared.data.destroy();
        await prepared.close();
      }
    } finally {
      source.data.destroy();
      await source.close?.();
    }
  }

  private async conclude(
    { allMustSucceed }: Payload,
    drivers: ReadonlyMap<string, StoreDriver>,
    data: Stored,
    unknown: readonly Failed[],
    signal: AbortSignal,
  ): Promise<Result> {
    const { outcomes, size, virtualSize, checksum, osHashAlgo, osHashValue } = data;
    const { diskFormat, containerFormat, properties } = data;
    const objects = [...outcomes].flatMap(([storeId, outcome]) =>
      'object' in outcome ? [{ storeId, object: outcome.object }] : [],
    );
    const failed = [...outcomes].flatMap(([storeId, outcome]) =>
      'error' in outcome ? [{ storeId, reason: reasonOf(outcome.error) }] : [],
    );
    if ((signal.aborted || allMustSucceed) && failed.length > 0) {
      // Another worker may be at it by now: what lies there may be its.
      if (isServiceError(signal.reason, 'LEASE_LOST')) throw signal.reason;
      for (const { storeId, object } of objects) await drivers.get(storeId)?.delete(object.location, {});
      signal.throwIfAborted();
      return { data: null, stored: [], failed };
    }
    return {
      data: { size, virtualSize, checksum, osHashAlgo, osHashValue, diskFormat, containerFormat, properties },
      stored: objects.map(({ storeId, object }) => ({
        storeId,
        location: this.stores.toImageLocation(storeId, object),
      })),
      failed: [...failed, ...unknown],
    };
  }
}

/** Servers that are none of the stores. */
const isRemote = ({ source }: Payload): boolean => source.kind === 'web' || source.kind === 'glance';

function changesOf(
  before: Payload,
  { diskFormat, containerFormat }: { readonly diskFormat: string; readonly containerFormat: string },
): Pick<Stored, 'diskFormat' | 'containerFormat'> {
  return {
    ...(diskFormat === before.diskFormat ? {} : { diskFormat }),
    ...(containerFormat === before.containerFormat ? {} : { containerFormat }),
  };
}

const storesFailed = ({ reasons }: StoresFailed): Result => ({
  data: null,
  stored: [],
  failed: [...reasons].map(([storeId, error]) => ({ storeId, reason: reasonOf(error) })),
});

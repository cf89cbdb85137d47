import { setTimeout as delay } from 'node:timers/promises';
import { type JobPayload, type JobResult, ServiceError, isServiceError } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import { type Location, type ResolvedLocation, type StoreRegistry, isUnreadable } from '@glimpse/stores';
import type { JobContext, JobHandler } from '../../runner/job-handler.js';
import type { CopyReader } from './copy-reader.js';
import { type HashPlan, isRecorded, planOf } from './recorded-hashes.js';

type Payload = JobPayload<'verify'>;
type Result = JobResult<'verify'>;

/** Before a copy that looked bad is read for the second time. */
const SECOND_LOOK_MS = 1_000;
const UNREADABLE = 'The store can not read the data';

const found = (state: Result['state'], reason: string | null = null): Result => ({
  state,
  reason,
  found: null,
});

/**
 * Reads a copy of an image's data and compares it with what is recorded. What looks bad is read twice, and rejected data
 * is a result; a store that gives no answer rejects, since that says nothing of the data. Repeatable: it changes nothing.
 */
export class VerifyJob implements JobHandler<'verify'> {
  readonly kind = 'verify';

  constructor(
    private readonly stores: StoreRegistry,
    private readonly copies: CopyReader,
    private readonly logger: Logger,
    private readonly secondLookMs = SECOND_LOOK_MS,
  ) {}

  async run(payload: Payload, context: JobContext): Promise<Result> {
    const from = this.stores.resolve(payload.location);
    const first = await this.look(from, payload, context);
    if (first.state === 'intact' || first.state === 'unhashed') return first;
    await delay(this.secondLookMs, undefined, { signal: context.signal });
    const second = await this.look(from, payload, context);
    if (second.state !== first.state || second.reason !== first.reason)
      this.logger.warn(
        { image: payload.imageId, storeId: from.storeId, first, second },
        'two looks at the same data differ',
      );
    if (second.state === 'missing' || second.reason === UNREADABLE)
      await this.askOthers(from, payload, second, context);
    return second;
  }

  /**
   * A store whose disk is not mounted looks well and is empty, and one whose disk dies reads nothing. Where none of the
   * others is there either, it is the store: rejects with `STORE_UNAVAILABLE`.
   */
  private async askOthers(
    from: ResolvedLocation,
    { witnesses }: Payload,
    { state }: Result,
    { signal }: JobContext,
  ): Promise<void> {
    for (const witness of witnesses) {
      try {
        const { location } = this.stores.resolve(witness);
        if (state === 'missing') await from.driver.size(location, { signal });
        else await readFirstByte(from, location, signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!isServiceError(error)) throw error;
      }
    }
    if (state !== 'missing')
      throw new ServiceError('STORE_UNAVAILABLE', 'The store can read neither this data nor any other');
    if (witnesses.length > 0)
      throw new ServiceError(
        'STORE_UNAVAILABLE',
        'The store has neither this data nor any other that was looked for: is its disk mounted?',
      );
  }

  private async look(...args: Parameters<VerifyJob['examine']>): Promise<Result> {
    try {
      return await this.examine(...args);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return found('damaged', UNREADABLE);
    }
  }

  private async examine(from: ResolvedLocation, payload: Payload, context: JobContext): Promise<Result> {
    const { recorded, missingHashes } = payload;
    const plan = planOf(recorded);
    if (plan !== undefined) return this.compare(from, payload, plan, context);
    if (missingHashes === null) return this.measure(from, payload, context);
    const reading = await this.read(
      from,
      payload,
      { hashAlgorithm: missingHashes.algorithm, md5: missingHashes.md5 },
      context,
    );
    if (reading.outcome !== 'read') return describe(reading, recorded);
    const { size, checksum, osHashValue } = reading.hashed;
    return {
      state: 'unhashed',
      reason: null,
      found: { size, checksum, osHashAlgo: missingHashes.algorithm, osHashValue },
    };
  }

  private async compare(
    from: ResolvedLocation,
    payload: Payload,
    plan: HashPlan,
    context: JobContext,
  ): Promise<Result> {
    const reading = await this.read(from, payload, plan, context);
    if (reading.outcome !== 'read') return describe(reading, payload.recorded);
    return isRecorded(payload.recorded, reading.hashed)
      ? found('intact')
      : found('damaged', 'The data does not have the recorded hash');
  }

  /** Without anything to compare it with, the data need not be read. */
  private async measure(
    { driver, location }: ResolvedLocation,
    { recorded }: Payload,
    { signal }: JobContext,
  ): Promise<Result> {
    try {
      const size = await driver.size(location, { signal });
      // Web servers need not tell.
      if (recorded.size === null || size === recorded.size || size === 0) return found('unhashed');
      return describe({ outcome: 'wrong-size', size }, recorded);
    } catch (error) {
      if (!isServiceError(error, 'STORE_OBJECT_NOT_FOUND')) throw error;
      await driver.checkHealth({ signal });
      return describe({ outcome: 'missing' }, recorded);
    }
  }

  private read(from: ResolvedLocation, payload: Payload, plan: HashPlan, context: JobContext) {
    const { recorded, bytesPerSecond } = payload;
    context.progress.phase('verifying', recorded.size);
    return this.copies.read(from, {
      recorded,
      plan,
      bytesPerSecond,
      signal: context.signal,
      onProgress: (bytesDone) => context.progress.bytes(bytesDone),
    });
  }
}

function describe(
  reading: { outcome: 'missing' } | { outcome: 'wrong-size'; size: number },
  recorded: Payload['recorded'],
): Result {
  if (reading.outcome === 'missing') return found('missing', 'The store does not have the data');
  return found('damaged', `There are ${reading.size} bytes where ${recorded.size} are recorded`);
}

async function readFirstByte(
  { driver }: ResolvedLocation,
  location: Location,
  signal: AbortSignal,
): Promise<void> {
  const range = driver.capabilities.ranges ? { range: { start: 0, end: 0 } } : {};
  const stream = await driver.read(location, { signal, ...range });
  for await (const _chunk of stream) break;
}

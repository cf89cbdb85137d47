import {
  type ImageLocation,
  type JobPayload,
  STAGING_STORE,
  ServiceError,
  isServiceError,
  stagedKeyOf,
  storeOf,
} from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import type { ResolvedLocation, StoreRegistry } from '@glimpse/stores';
import type { JobContext, JobHandler } from '../runner/job-handler.js';

type Leftover = NonNullable<JobPayload<'delete-data'>['leftovers']>[number];

/** Removes the data of an image that was deleted, or what an upload left behind whose process died. Repeatable. */
export class DeleteDataJob implements JobHandler<'delete-data'> {
  readonly kind = 'delete-data';

  constructor(
    private readonly stores: StoreRegistry,
    private readonly logger: Logger,
  ) {}

  /**
   * Tries every location, also when one fails; rejects while data is left: with STORE_UNKNOWN where all that is left is
   * in stores that this worker does not have, with STORE_UNAVAILABLE else.
   */
  async run(payload: JobPayload<'delete-data'>, { signal, progress }: JobContext): Promise<null> {
    progress.phase('removing');
    const { imageId, locations, partial, leftovers = [] } = payload;
    const failures: unknown[] = [];
    const attempt = async (work: () => Promise<void>) => {
      signal.throwIfAborted();
      await work().catch((error: unknown) => failures.push(error));
    };
    for (const left of partial === undefined ? leftovers : [partial, ...leftovers])
      await attempt(() => this.removeLeftovers(imageId, left, signal));
    for (const location of locations) await attempt(() => this.removeData(imageId, location, signal));
    const [first] = failures;
    if (first === undefined) return null;
    const unknown = failures.filter((failure) => isServiceError(failure, 'STORE_UNKNOWN'));
    if (unknown.length === failures.length) throw unknown[0];
    throw new ServiceError('STORE_UNAVAILABLE', `${failures.length} pieces of data could not be removed`, {
      cause: first,
    });
  }

  private async removeLeftovers(
    imageId: string,
    { storeId, uploadId, key: known }: Leftover,
    signal: AbortSignal,
  ): Promise<void> {
    const driver = this.stores.find(storeId);
    if (driver === undefined) {
      // The image waits for this job; and what is left is no image's, so that no more than space is lost.
      this.logger.error(
        { imageId, storeId },
        'leftovers are in a store that is not configured; dropping them',
      );
      return;
    }
    if (!driver.capabilities.write) return;
    const key = known ?? (storeId === STAGING_STORE ? stagedKeyOf(imageId, uploadId) : imageId);
    await driver.removeLeftovers(key, uploadId, { signal });
  }

  private async removeData(imageId: string, location: ImageLocation, signal: AbortSignal): Promise<void> {
    const { storeId, driver, location: resolved } = this.findStore(location);
    if (driver.capabilities.delete) await driver.delete(resolved, { signal });
    else
      this.logger.info({ imageId, storeId }, 'the store is read only: only the record of the data is gone');
  }

  /** Unlike Glance we don't forget data that no store of the configuration holds: one may come back. */
  private findStore(location: ImageLocation): ResolvedLocation {
    try {
      return this.stores.resolve(location);
    } catch (error) {
      if (!isServiceError(error, 'STORE_LOCATION_INVALID')) throw error;
      const store = storeOf(location);
      throw new ServiceError(
        'STORE_UNKNOWN',
        store === undefined
          ? 'The data is in none of the configured stores'
          : `The data is not where the store "${store}" is configured to keep it`,
        { cause: error },
      );
    }
  }
}

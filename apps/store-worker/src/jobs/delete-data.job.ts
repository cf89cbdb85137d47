import { type ImageLocation, type JobPayload, ServiceError, isServiceError } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import type { ResolvedLocation, StoreRegistry } from '@glimpse/stores';
import type { JobContext, JobHandler } from '../runner/job-handler.js';

/** Removes the data of an image that was deleted, or what an upload left behind whose process died. Repeatable. */
export class DeleteDataJob implements JobHandler<'delete-data'> {
  readonly kind = 'delete-data';

  constructor(
    private readonly stores: StoreRegistry,
    private readonly logger: Logger,
  ) {}

  /** Tries every location, also when one fails; rejects with STORE_UNAVAILABLE while data is left. */
  async run(payload: JobPayload<'delete-data'>, { signal }: JobContext): Promise<void> {
    const { imageId, locations, partial } = payload;
    const failures: unknown[] = [];
    const attempt = async (work: () => Promise<void>) => {
      signal.throwIfAborted();
      await work().catch((error: unknown) => failures.push(error));
    };
    if (partial !== undefined) await attempt(() => this.removeLeftovers(imageId, partial, signal));
    for (const location of locations) await attempt(() => this.removeData(imageId, location, signal));
    if (failures.length > 0)
      throw new ServiceError('STORE_UNAVAILABLE', `${failures.length} pieces of data could not be removed`, {
        cause: failures[0],
      });
  }

  private async removeLeftovers(
    imageId: string,
    { storeId, uploadId }: NonNullable<JobPayload<'delete-data'>['partial']>,
    signal: AbortSignal,
  ): Promise<void> {
    const driver = this.stores.find(storeId);
    if (driver === undefined) {
      this.logger.error(
        { imageId, storeId },
        'leftovers are in a store that is not configured; dropping them',
      );
      return;
    }
    if (driver.capabilities.write) await driver.removeLeftovers(imageId, uploadId, { signal });
  }

  private async removeData(imageId: string, location: ImageLocation, signal: AbortSignal): Promise<void> {
    const found = this.findStore(imageId, location);
    if (found === undefined) return;
    const { storeId, driver } = found;
    if (driver.capabilities.delete) await driver.delete(found.location, { signal });
    else
      this.logger.info({ imageId, storeId }, 'the store is read only: only the record of the data is gone');
  }

  /** As in Glance, data that no configured store holds is forgotten: nobody could ever remove it. */
  private findStore(imageId: string, location: ImageLocation): ResolvedLocation | undefined {
    try {
      return this.stores.resolve(location);
    } catch (error) {
      if (!isServiceError(error, 'STORE_UNKNOWN', 'STORE_LOCATION_INVALID')) throw error;
      this.logger.error({ imageId, err: error }, 'a location is in no store that is configured; dropping it');
      return undefined;
    }
  }
}

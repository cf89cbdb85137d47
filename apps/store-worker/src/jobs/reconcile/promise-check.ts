import {
  type PromisedData,
  RECONCILE_BATCH,
  type RequestOf,
  STAGING_STORE,
  ServiceError,
  isServiceError,
  type registryReconcile,
} from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import type { StoreDriver } from '@glimpse/stores';
import type { RegistryCalls } from './registry-calls.js';
import type { Tally } from './tally.js';

type Broken = RequestOf<(typeof registryReconcile)['report']>['broken'];

/** Places that are looked at at once. */
const AT_ONCE = 8;
/** An empty store, in which so much should be, is not what it was. */
const TOO_MUCH = 10;

/** What is there: its size, nothing, or nobody can tell. */
type Found = number | null | undefined;

/** Looks whether the data is there that rows say is in the store, in its size. */
export class PromiseCheck {
  /** What is not told yet. */
  private broken: Broken = [];

  constructor(
    private readonly driver: StoreDriver,
    private readonly storeId: string,
    private readonly registry: RegistryCalls,
    private readonly tally: Tally,
    private readonly logger: Logger,
    private readonly signal: AbortSignal,
    /** Nothing of ours was seen in the store. */
    private seemsEmpty: boolean,
  ) {}

  /** Rejects with `STORE_UNAVAILABLE` where the store looks well and is empty, as one whose disk is not mounted. */
  async run(): Promise<void> {
    let cursor: string | null = null;
    do {
      const page = await this.registry.promises({ cursor });
      await this.checkAll(page.promises);
      cursor = page.next;
    } while (cursor !== null);
    await this.report();
  }

  private async checkAll(promises: readonly PromisedData[]): Promise<void> {
    for (let at = 0; at < promises.length; at += AT_ONCE) {
      const some = promises.slice(at, at + AT_ONCE);
      const found = await Promise.all(some.map((promise) => this.look(promise)));
      for (const [index, promise] of some.entries()) {
        this.tally.sawPromise();
        const size = found[index];
        if (typeof size === 'number') this.seemsEmpty = false;
        if (size === undefined) this.tally.couldNotRead();
        else if (size === null || (promise.size !== null && size !== promise.size))
          this.broken.push({ promise, found: size });
      }
    }
    if (!this.seemsEmpty) await this.report();
    else if (this.broken.length >= TOO_MUCH)
      throw new ServiceError(
        'STORE_UNAVAILABLE',
        `The store is empty, and ${this.broken.length} images and more should be there: is its disk mounted?`,
      );
  }

  private async report(): Promise<void> {
    const { broken } = this;
    this.broken = [];
    for (let at = 0; at < broken.length; at += RECONCILE_BATCH)
      await this.registry.report({ broken: broken.slice(at, at + RECONCILE_BATCH) });
  }

  private async look(promise: PromisedData): Promise<Found> {
    this.signal.throwIfAborted();
    try {
      const location = this.driver.parseLocation(promise.location.url);
      return await this.driver.size(location, { signal: this.signal });
    } catch (error) {
      this.signal.throwIfAborted();
      if (isServiceError(error, 'STORE_OBJECT_NOT_FOUND')) return null;
      const about = { err: error, image: promise.imageId, store: this.storeId };
      this.logger.warn(about, 'it can not be told whether the data of an image is there');
      // A place that the store does not have is as good as one where nothing is: nobody can read the data from there.
      const isNowhere = isServiceError(error, 'STORE_LOCATION_INVALID') && this.storeId !== STAGING_STORE;
      return isNowhere ? null : undefined;
    }
  }
}

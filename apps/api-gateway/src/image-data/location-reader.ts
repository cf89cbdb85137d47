import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { type ImageLocation, ServiceError, isServiceError, storeOf } from '@glimpse/contracts';
import { type ByteRange, type ResolvedLocation, StoreRegistry, isUnreadable } from '@glimpse/stores';
import { GatewaySettings } from '../gateway-settings.js';
import { Suspicions } from '../verification/suspicions.js';
import { firstBytes } from './first-bytes.js';

export interface ReadLocations {
  /** In the order in which they are tried. */
  readonly locations: readonly ImageLocation[];
  readonly imageId: string;
  readonly signal: AbortSignal;
  /** Left out for everything. */
  readonly range?: ByteRange;
  /** Where to begin: a caller whose stream broke off goes on with the next location. */
  readonly attempt?: number;
}

/** Reads image data from the first of its locations that gives it. */
@Injectable()
export class LocationReader {
  constructor(
    private readonly stores: StoreRegistry,
    private readonly settings: GatewaySettings,
    private readonly suspicions: Suspicions,
  ) {}

  /** The stream has its first byte. Rejects with what the last location failed with. */
  open({ range, ...read }: ReadLocations): Promise<Readable> {
    return this.firstThat(read, async ({ driver, location }) => {
      if (range !== undefined && !driver.capabilities.ranges)
        throw new ServiceError(
          'STORE_OPERATION_UNSUPPORTED',
          'The store of this image can not read a range.',
        );
      const { signal } = read;
      return firstBytes(await driver.read(location, { signal, ...(range === undefined ? {} : { range }) }));
    });
  }

  /** The size of the data, as the first store says that knows it. */
  size(read: ReadLocations): Promise<number> {
    return this.firstThat(read, ({ driver, location }) => driver.size(location, { signal: read.signal }));
  }

  /**
   * A URL by which the client may read the data from the first location's store itself, where that gives such and has
   * the data; undefined where it does not, or can't be asked.
   */
  async directUrl(
    { locations, imageId, signal }: ReadLocations,
    size: number | null,
  ): Promise<string | undefined> {
    const [first] = locations;
    if (first === undefined) return undefined;
    try {
      const { driver, location } = this.resolve(first);
      const url = await driver.directUrl?.(location);
      if (url === undefined) return undefined;
      // Nobody could fall back on another location once the client has gone there.
      const found = await driver.size(location, { signal });
      return size === null || found === size ? url : undefined;
    } catch (error) {
      if (signal.aborted || !isServiceError(error)) throw error;
      this.settings.logger.warn({ err: error, imageId }, 'a store can not be asked for a direct download');
      return undefined;
    }
  }

  /** Preferred stores first, otherwise as the registry gave them: the best first. */
  inOrder(locations: readonly ImageLocation[], prefer: readonly string[]): ImageLocation[] {
    const rank = (location: ImageLocation) => {
      const preference = prefer.indexOf(storeOf(location) ?? this.stores.defaultId);
      return preference === -1 ? prefer.length : preference;
    };
    return locations.toSorted((one, other) => rank(one) - rank(other));
  }

  /** The store that a location is in; undefined where it is in none of those configured. */
  findStore(location: ImageLocation): string | undefined {
    try {
      return this.stores.resolve(location).storeId;
    } catch {
      return undefined;
    }
  }

  private async firstThat<T>(
    { locations, imageId, signal, attempt = 0 }: ReadLocations,
    succeeds: (location: ResolvedLocation) => Promise<T>,
  ): Promise<T> {
    let lastError: unknown = new ServiceError('STORE_OBJECT_NOT_FOUND', 'The image has no data.');
    const first = attempt % Math.max(1, locations.length);
    for (const location of [...locations.slice(first), ...locations.slice(0, first)])
      try {
        return await succeeds(this.resolve(location));
      } catch (error) {
        if (signal.aborted || !isServiceError(error)) throw error;
        this.settings.logger.warn({ err: error, imageId }, 'a location can not be read');
        if (error.code === 'STORE_OBJECT_NOT_FOUND' || isUnreadable(error)) this.suspicions.report(imageId);
        lastError = error;
      }
    throw lastError;
  }

  /** A location that this gateway's configuration does not know is not the client's mistake. */
  private resolve(location: ImageLocation): ResolvedLocation {
    try {
      return this.stores.resolve(location);
    } catch (error) {
      throw new ServiceError('STORE_UNAVAILABLE', 'The store of this image is not configured.', {
        cause: error,
      });
    }
  }
}

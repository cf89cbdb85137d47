import type { Location, StoreDriver } from './store-driver.js';

/** What the suite needs to know about a store to hold its driver to the promises of `StoreDriver`. */
export interface DriverFixture {
  readonly driver: StoreDriver;
  /** Brings an object into the store, by `write` or past the driver where that can't. */
  readonly place: (key: string, data: Buffer) => Promise<Location>;
  /** Names of everything in the store, remains of failed writes included. */
  readonly list: () => Promise<readonly string[]>;
  /** Leaves what a process leaves that dies in mid-write; for drivers that write. */
  readonly strand?: (key: string, uploadId: string, data: Buffer) => Promise<void>;
  /** A location that is this store's, with nothing there. */
  readonly missing: Location;
  /** URIs that are not this store's. */
  readonly foreignUris: readonly string[];
  /** Makes the store unusable until the returned function is called; absent where nothing can be asked for its health. */
  readonly breakDown?: () => Promise<() => Promise<void>>;
  readonly close: () => Promise<void>;
}

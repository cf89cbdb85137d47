import type { CallOptions, Location } from './location.js';

/** What an object of a store is, as its name tells. */
interface Named {
  /** What an operator finds it by in the store: the name of a file, the key of an object. */
  readonly name: string;
  /** The key that it was written under, or was to be; null for what was not named by Glimpse or Glance. */
  readonly key: string | null;
  /**
   * Of an upload that has not ended, or whose process died: whatever names the attempt there (`WriteOptions.uploadId`
   * where the store keeps that). Null for an object that is whole.
   */
  readonly partialOf: string | null;
  /** Bytes. */
  readonly size: number;
}

/** Something that lies in a store, at the time when it was looked at. */
export interface StoredEntry extends Named {
  readonly location: Location;
  /** When it was last written to, by the store's clock, in epoch milliseconds. */
  readonly modifiedAt: number;
  /** Another one whenever something else takes the same place, also when that has the same size. */
  readonly version: string;
}

/** Something that was set aside: it is none of the store's objects until it is put back. */
export interface SetAsideEntry extends Named {
  /** What it was set aside as. */
  readonly id: string;
  /** Where it lies now. */
  readonly location: Location;
  /** Where it lay. */
  readonly origin: Location;
}

export type SetAside =
  | { readonly outcome: 'set-aside'; readonly entry: SetAsideEntry }
  /** The incomplete upload was ended, since the store can keep no such thing. */
  | { readonly outcome: 'removed' }
  /** It is not there any more. */
  | { readonly outcome: 'gone' }
  /** Something else lies in its place now, and was left there. */
  | { readonly outcome: 'changed' };

/**
 * What lies in a store, and how to set aside what belongs to nobody. The entries are read as they are asked for, in no
 * order and with bounded memory; what comes or goes meanwhile may be among them or not. Iterating rejects with
 * `STORE_UNAVAILABLE` and its like where the store can't be read to its end.
 *
 * All of it may be called again after a process died in the middle: nothing is ever lost between two places.
 */
export interface StoreInventory {
  /** Everything but what was set aside, other people's things included. */
  list(options: CallOptions): AsyncIterable<StoredEntry>;
  /** What was set aside and neither put back nor discarded. */
  listSetAside(options: CallOptions): AsyncIterable<SetAsideEntry>;
  /**
   * Moves the object to where nobody reads it, under `id` (a UUID that is used once), if it still is the one that was
   * listed: by its version. Durable when it resolves.
   */
  setAside(entry: StoredEntry, id: string, options: CallOptions): Promise<SetAside>;
  /**
   * Moves it to where it was. Never replaces an object: rejects with `STORE_OBJECT_DUPLICATE` where the place is taken,
   * with `STORE_OBJECT_NOT_FOUND` where nothing is set aside as that any more.
   */
  putBack(entry: SetAsideEntry, options: CallOptions): Promise<void>;
  /** Removes it for good. What is gone already counts as removed. */
  discard(entry: SetAsideEntry, options: CallOptions): Promise<void>;
}

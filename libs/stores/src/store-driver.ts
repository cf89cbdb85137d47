import type { Readable } from 'node:stream';
import type { CallOptions, Location } from './location.js';
import type { StoreInventory } from './store-inventory.js';

export type { CallOptions, Location } from './location.js';

/** What a driver can do. An operation it can't do throws `STORE_OPERATION_UNSUPPORTED`. */
export interface StoreCapabilities {
  readonly write: boolean;
  readonly delete: boolean;
  /** Reads from any offset. */
  readonly ranges: boolean;
  /**
   * `write` says through `WriteOptions.releaseChunk` when it is done with a chunk's memory, so that the memory can be
   * used again at once. Whoever writes to a driver without it hands it chunks that nobody else will touch.
   */
  readonly releasesChunks: boolean;
}

export interface WriteOptions extends CallOptions {
  /** Names this attempt, so that what it leaves when the process dies can be found and removed. */
  readonly uploadId: string;
  /** Bytes, where they are known. The pipeline in front checks them; drivers use it to choose a place and part sizes. */
  readonly expectedSize?: number;
  /** There are long runs of zeros in the data, as in a disk: a driver that can leaves them out of what it takes of the medium. */
  readonly isSparse?: boolean;
  /**
   * Called with each chunk of `data` when the driver has no more use for its memory, which is overwritten from then
   * on. Only by drivers that declare `releasesChunks`. When `write` settles, every chunk counts as released.
   */
  readonly releaseChunk?: (chunk: Buffer) => void;
}

export interface ByteRange {
  /** First byte, from 0. */
  readonly start: number;
  /** Last byte, included. */
  readonly end: number;
}

export interface ReadOptions extends CallOptions {
  readonly range?: ByteRange;
}

export interface StoredObject {
  readonly location: Location;
  readonly size: number;
  /** What the driver wants to find again beside the location (strings, lists and mappings only). */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/**
 * A place where image data lies. One object is one image's data, its key the image's id.
 *
 * Errors are `ServiceError`s with a `STORE_…` code; an SDK's own error never leaves a driver. All of it is safe to
 * call concurrently.
 */
export interface StoreDriver {
  readonly capabilities: StoreCapabilities;
  /** What lies in the store. Every driver that writes has it; one that only reads what others keep has none. */
  readonly inventory?: StoreInventory;
  /**
   * Stores the stream; resolves when every byte is durable and the object can be read under its key. Never replaces
   * an object: where the key is taken it rejects with `STORE_OBJECT_DUPLICATE`. On failure or abort nothing stays
   * behind. Destroys `data` when it fails.
   */
  write(key: string, data: Readable, options: WriteOptions): Promise<StoredObject>;
  /**
   * Opens the object, or `range` of it (which lies within the object). Rejects with `STORE_OBJECT_NOT_FOUND` before
   * the first byte, not in mid-stream. The caller destroys the stream.
   */
  read(location: Location, options: ReadOptions): Promise<Readable>;
  /** Bytes of the object. */
  size(location: Location, options: CallOptions): Promise<number>;
  /** Removes the object. One that is already gone counts as removed. */
  delete(location: Location, options: CallOptions): Promise<void>;
  /**
   * Removes whatever the attempt `uploadId` to write `key` left behind when its process died, finished or not. Only
   * called while nobody else can write this key. Nothing there counts as removed.
   */
  removeLeftovers(key: string, uploadId: string, options: CallOptions): Promise<void>;
  /**
   * A URL by which whoever has it may read the object from the store itself for a while; undefined where the store is
   * not configured to give such. Does not look whether the object is there.
   */
  directUrl?(location: Location): Promise<string | undefined>;
  /** Throws `STORE_LOCATION_INVALID` where `uri` is not one of this driver's. */
  parseLocation(uri: string): Location;
  /** Rejects with the reason where the store can't be used. */
  checkHealth(options: CallOptions): Promise<void>;
  close(): Promise<void>;
}

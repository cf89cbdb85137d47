import { z } from 'zod';
import { ByteCount, ImageLocation } from './image.js';

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const KEY = new RegExp(`^(?<imageId>${UUID})(?:[.-].+)?$`, 'i');

/**
 * The image that data was written for, by the key that it was written under: the image's id, alone or with more after a dot or
 * a hyphen. Undefined for what has no such name: it is somebody else's.
 */
export const imageIdOfKey = (key: string): string | undefined => KEY.exec(key)?.groups?.['imageId'];

/** How a store is compared with the database. */
export const ReconcilePayload = z.object({
  /** It is about no image. */
  imageId: z.null(),
  runId: z.string(),
  storeId: z.string(),
  /** `quarantine`: only what was set aside before is looked at. */
  scope: z.enum(['store', 'quarantine']),
  /** Whether data that belongs to nobody is set aside. */
  repair: z.boolean(),
  /** Whether what was set aside long enough ago is removed for good. */
  discard: z.boolean(),
  /** Data is left alone for this long after it was written to, and after it was first seen to be nobody's. Milliseconds. */
  graceMs: z.int().min(0),
  /** What was set aside is kept for this long. Milliseconds. */
  keepMs: z.int().min(0),
  /** Nobody else keeps data in the store: what has an image's name is ours also where the database never knew the image. */
  soleOwner: z.boolean(),
});
export type ReconcilePayload = z.output<typeof ReconcilePayload>;

export const DataCount = z.object({ objects: z.int().min(0), bytes: ByteCount });
export type DataCount = z.output<typeof DataCount>;

/** What a worker counted when it went through a store. */
export const ReconcileResult = z.object({
  /** What lies in the store; null where it was not looked at or can't be listed. */
  listed: DataCount.nullable(),
  /** Of that, what has no name of ours and is no image's data. Never touched. */
  foreign: DataCount.extend({ examples: z.array(z.string()) }),
  /** Places that rows name, and those of them that could not be looked at. */
  promised: z.int().min(0),
  unreadable: z.int().min(0),
  setAside: DataCount,
  putBack: z.int().min(0),
  discarded: DataCount,
});
export type ReconcileResult = z.output<typeof ReconcileResult>;

/** What a comparison of a store with the database came to. */
export const ReconcileReport = ReconcileResult.extend({
  /** Data that belongs to nobody and is still in its place. */
  orphans: DataCount,
  /** Of the orphans, those of images that the database never knew: left alone unless the store has one owner. */
  unknown: DataCount,
  /** Rows whose data is not there, or has another size. */
  missing: z.int().min(0),
  wrongSize: z.int().min(0),
  /** What is set aside now. */
  quarantine: DataCount,
});
export type ReconcileReport = z.output<typeof ReconcileReport>;

/** Something that a worker found in a store. */
export const FoundData = z.object({
  url: z.string(),
  name: z.string(),
  key: z.string().nullable(),
  partialOf: z.string().nullable(),
  size: ByteCount,
  /** Epoch milliseconds. */
  modifiedAt: z.number(),
  /** Another one whenever something else takes the same place. */
  version: z.string(),
});
export type FoundData = z.output<typeof FoundData>;

/** Something that a worker found set aside. */
export const SetAsideData = z.object({
  id: z.string(),
  origin: z.string(),
  name: z.string(),
  key: z.string().nullable(),
  partialOf: z.string().nullable(),
  size: ByteCount,
});
export type SetAsideData = z.output<typeof SetAsideData>;

/** What becomes of something that is set aside. */
export const SetAsideAction = z.enum(['keep', 'put-back', 'discard']);
export type SetAsideAction = z.output<typeof SetAsideAction>;

/** A row that says that there is data. */
export const PromisedData = z.object({
  /** A location of an image, or data that waits for its import. */
  source: z.enum(['location', 'staged']),
  /** Tells it from the others of its source. */
  rowId: z.string(),
  imageId: z.string(),
  location: ImageLocation,
  /** Null where the size is not known. */
  size: ByteCount.nullable(),
});
export type PromisedData = z.output<typeof PromisedData>;

import { z } from 'zod';
import { ByteCount, ImageLocation } from './image.js';

/**
 * What the last look at a copy of an image's data came to. `unhashed`: it is there, in its size, and no hash is known to
 * compare it with. `unreachable`: its store did not give it, which says nothing about the data.
 */
export const copyStates = ['unverified', 'intact', 'unhashed', 'damaged', 'missing', 'unreachable'] as const;
export const CopyState = z.enum(copyStates);
export type CopyState = z.output<typeof CopyState>;

/** What is recorded of an image's data, and what every copy of it has to be. */
export const RecordedData = z.object({
  size: ByteCount.nullable(),
  checksum: z.string().nullable(),
  osHashAlgo: z.string().nullable(),
  osHashValue: z.string().nullable(),
});
export type RecordedData = z.output<typeof RecordedData>;

const OfCopy = z.object({
  imageId: z.string(),
  /** The row of the location. */
  locationId: z.int(),
  location: ImageLocation,
  recorded: RecordedData,
});

/** Reads a copy of an image's data again, to compare it with what is recorded. */
export const VerifyPayload = OfCopy.extend({
  /** What may be read in a second; null for any amount. */
  bytesPerSecond: z.int().min(1).nullable(),
  /** The hashes to compute where none is recorded; null for none. */
  missingHashes: z.object({ algorithm: z.string(), md5: z.boolean() }).nullable(),
  /** Data of other images in the same store: where none of it is there either, it is the store that is not what it was. */
  witnesses: z.array(ImageLocation).default([]),
});
export type VerifyPayload = z.output<typeof VerifyPayload>;

/** What a worker found where a copy should be. */
export const VerifyResult = z.object({
  state: z.enum(['intact', 'unhashed', 'damaged', 'missing']),
  /** For the operator; null where there is nothing to tell. */
  reason: z.string().nullable(),
  /** Of data of which no hash was recorded: what it is. */
  found: RecordedData.nullable(),
});
export type VerifyResult = z.output<typeof VerifyResult>;

/** Puts a good copy in the place of a damaged one. */
export const RepairPayload = OfCopy.extend({
  /** Where good copies are, best first. */
  sources: z.array(ImageLocation),
  /** Names what the repair writes: see {@link repairKeyOf}. */
  repairId: z.string(),
});
export type RepairPayload = z.output<typeof RepairPayload>;

/** What came of it. `suspects`: the URLs of sources that are not what is recorded either. */
export const RepairResult = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('repaired'), location: ImageLocation, suspects: z.array(z.string()) }),
  z.object({ outcome: z.literal('not-repaired'), reason: z.string(), suspects: z.array(z.string()) }),
]);
export type RepairResult = z.output<typeof RepairResult>;

/** The key of a repaired copy: its image's may still be that of the damaged data. */
export const repairKeyOf = (imageId: string, repairId: string): string => `${imageId}-${repairId}`;

/** One copy of an image's data, as it is known to be. Times are ISO 8601 in UTC. */
export const CheckedCopy = z.object({
  /** Null where the service has one store, which has no name. */
  storeId: z.string().nullable(),
  state: CopyState,
  /** Whether it is read from. */
  isInService: z.boolean(),
  reason: z.string().nullable(),
  /** When it was last found to be whole. */
  intactAt: z.string().nullable(),
  /** When somebody last looked, whatever came of it. */
  checkedAt: z.string().nullable(),
  /** When it is looked at next; null where nobody plans to. */
  dueAt: z.string().nullable(),
  /** Whether it waits for its turn, or is being read. */
  isQueued: z.boolean(),
});
export type CheckedCopy = z.output<typeof CheckedCopy>;

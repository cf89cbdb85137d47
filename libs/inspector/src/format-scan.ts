/** A part of an image that a scan wants to see. */
export interface Region {
  readonly offset: number;
  readonly length: number;
}

/** What an image of a recognised format says about itself. */
export interface RecognisedFormat {
  /** Bytes of the disk in the image; null where the image doesn't tell. */
  readonly virtualSize: number | null;
}

/**
 * The recognition of one format, as a generator: it asks for regions, each further on than the one before, and is
 * given what the image has of them (fewer bytes where it ends earlier). Returns undefined where the image is
 * something else.
 */
export type FormatScan = Generator<Region, RecognisedFormat | undefined, Buffer>;

/** A size that the image claims; null for 0 and for what is too large to be one. */
export function claimedSize(bytes: bigint): number | null {
  return bytes > 0n && bytes <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(bytes) : null;
}

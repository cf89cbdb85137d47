import type { Danger, FormatName } from './inspection.js';

/** Bytes of the beginning of an image by which formats are told apart. */
export const HEAD_BYTES = 65_536;

/** Bytes of the end of an image that can be asked for. */
export const TAIL_BYTES = 1_536;

/** A part of an image that is to be looked at. */
export interface Region {
  readonly offset: number;
  readonly length: number;
}

/** The last bytes of an image, at most {@link TAIL_BYTES}. */
export interface Tail {
  readonly tail: number;
}

/** What an image of a recognised format says about itself. */
export interface Examination {
  readonly subformat?: string;
  /** Bytes of the disk in it, of which the image itself may be part; null where it doesn't tell. */
  readonly virtualSize: number | null | ((imageBytes: number) => number | null);
  readonly dangers?: readonly Danger[];
  readonly isIncomplete?: boolean;
}

/**
 * Looks into an image of a recognised format: asks for regions, each further on than the one before, and for the tail
 * last, and is given what the image has of them (fewer bytes where it ends earlier). Undefined where it turns out that the
 * image is something else, which only formats do whose `matches` can't be sure.
 */
export type FormatScan = Generator<Region | Tail, Examination | undefined, Buffer>;

/** How one format is recognised and looked into. Both are given hostile content; what they throw counts as incomplete. */
export interface FormatInspector {
  readonly format: FormatName;
  /**
   * Whether an image is of the format, by its first {@link HEAD_BYTES} (fewer where it is shorter). `maybe` where only
   * its end tells.
   */
  matches(head: Buffer): boolean | 'maybe';
  examine(): FormatScan;
}

/** A size that the image claims; null for 0 and for what is too large to be one. */
export function claimedSize(bytes: bigint): number | null {
  return bytes > 0n && bytes <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(bytes) : null;
}

/** The image ends before what must be looked at. */
export const INCOMPLETE: Examination = { virtualSize: null, isIncomplete: true };

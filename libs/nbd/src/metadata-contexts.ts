/** Which parts of the disk hold data, are holes, read as zeroes. */
export const BASE_ALLOCATION = 'base:allocation';

/** The context of a dirty bitmap that QEMU exports. */
export const dirtyBitmapContext = (bitmap: string): string => `qemu:dirty-bitmap:${bitmap}`;

/** Flag of {@link BASE_ALLOCATION}: reads as zeroes. What is only a hole may read as anything. */
export const READS_AS_ZEROES = 2;

/** Flag of a dirty bitmap: written to since the bitmap was made. */
export const IS_DIRTY = 1;

/** Which parts of the disk hold data, are holes, read as zeroes. */
export const BASE_ALLOCATION = 'base:allocation';

/** How deep in a chain of backing files the data of a part lies; a server of QEMU tells it. */
export const ALLOCATION_DEPTH = 'qemu:allocation-depth';

/** The context of a dirty bitmap that QEMU exports. */
export const dirtyBitmapContext = (bitmap: string): string => `qemu:dirty-bitmap:${bitmap}`;

/** Flag of {@link BASE_ALLOCATION}: reads as zeroes. What is only a hole may read as anything. */
export const READS_AS_ZEROES = 2;

/** Flag of a dirty bitmap: written to since the bitmap was made. */
export const IS_DIRTY = 1;

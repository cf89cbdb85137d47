/** A part of a disk, in bytes. */
export interface DiskRange {
  readonly offset: number;
  readonly length: number;
}

export const endOf = ({ offset, length }: DiskRange): number => offset + length;

/** Throws a `RangeError` unless the range lies on a disk of `size` bytes. */
export function checkRange({ offset, length }: DiskRange, size: number): void {
  const isWhole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (!isWhole || offset < 0 || length < 0 || length > size - offset)
    throw new RangeError(`${length} bytes at ${offset} are not on a disk of ${size} bytes`);
}

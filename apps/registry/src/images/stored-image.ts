import type { Image, ImageLocation } from '@glimpse/contracts';

/** An image with what no client sees. */
export interface StoredImage {
  readonly image: Image;
  /** Where the data is read from, best first. */
  readonly locations: readonly ImageLocation[];
  /** Where its data was found to be damaged or lost: out of service until it is whole again. */
  readonly damaged: readonly ImageLocation[];
}

import type { Image, ImageLocation } from '@glimpse/contracts';

/** An image with what no client sees. */
export interface StoredImage {
  readonly image: Image;
  /** Best first. */
  readonly locations: readonly ImageLocation[];
}

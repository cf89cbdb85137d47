import type { CachedImage } from './cached-image.js';

/** A cached image as the API shows it; times are seconds since 1970. */
export const toCachedImageView = (image: CachedImage) => ({
  image_id: image.imageId,
  hits: image.hits,
  last_accessed: image.lastAccessed / 1000,
  last_modified: image.lastModified / 1000,
  size: image.size,
  checksum: image.checksum,
});
export type CachedImageView = ReturnType<typeof toCachedImageView>;

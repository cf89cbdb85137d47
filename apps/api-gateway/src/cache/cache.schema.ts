import { z } from 'zod';
import type { CachedImage } from './cached-image.js';

/** A cached image as the API shows it; times are seconds since 1970. */
export const CachedImageView = z.object({
  image_id: z.string(),
  /** How often it was read without reading its store. */
  hits: z.int(),
  last_accessed: z.number(),
  last_modified: z.number(),
  size: z.int(),
  checksum: z.string().nullable(),
});
export type CachedImageView = z.output<typeof CachedImageView>;

export const CachedImages = z.object({ cached_images: z.array(CachedImageView) });
export const QueuedImages = z.object({ queued_images: z.array(z.string()) });
export const CacheState = CachedImages.extend(QueuedImages.shape);
export type CacheState = z.output<typeof CacheState>;
export const Deleted = z.object({ num_deleted: z.int() });
export const Pruned = z.object({ total_files_pruned: z.int(), total_bytes_pruned: z.int() });
export type Pruned = z.output<typeof Pruned>;

export const toCachedImageView = (image: CachedImage): CachedImageView => ({
  image_id: image.imageId,
  hits: image.hits,
  last_accessed: image.lastAccessed / 1000,
  last_modified: image.lastModified / 1000,
  size: image.size,
  checksum: image.checksum,
});

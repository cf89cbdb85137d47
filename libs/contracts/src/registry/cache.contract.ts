import { z } from 'zod';
import { Caller } from '../domain/caller.js';
import { ByteCount, ImageId, ImageStatus } from '../domain/image.js';
import { rpc } from '../rpc.js';
import { DownloadTicket } from './images.contract.js';

/** The rights to look at and change a gateway's image cache, by the names of their rules. */
export const cacheRules = [
  'manage_image_cache',
  'list_cached_nodes',
  'cache_image',
  'cache_list',
  'cache_delete',
  'cache_clean',
  'cache_prune',
] as const;
export type CacheRule = (typeof cacheRules)[number];

/** Images that one call may ask about. */
export const MAX_CACHED_IMAGES_ASKED = 500;
const ImageIds = z.array(z.string()).max(MAX_CACHED_IMAGES_ASKED);

/** What has to be known of an image before it is queued for a cache. */
const ImageToCache = z.object({
  id: z.string(),
  status: ImageStatus,
  /** Null where nobody knows it yet. */
  size: ByteCount.nullable().optional(),
});

/** What the gateways, which keep the cached data, ask the registry, which knows the images and who may what. */
export const registryCache = {
  /**
   * Whether the caller may do what `rule` allows, to the image `id` where one is named; answers with that image.
   * Codes: IMAGE_NOT_FOUND, ACTION_FORBIDDEN.
   */
  authorize: rpc('registry.cache.authorize', {
    request: z.object({ ctx: Caller, rule: z.enum(cacheRules), id: ImageId.optional() }),
    response: z.object({ image: ImageToCache.nullable() }),
  }),
  /** As `registry.image.openDownload`, for the cache itself: whoever queued the image was allowed to. Codes: IMAGE_NOT_FOUND. */
  openFill: rpc('registry.cache.openFill', {
    request: z.object({ id: ImageId }),
    response: DownloadTicket,
  }),
  /** Those of the images that exist no more. */
  findDeleted: rpc('registry.cache.findDeleted', {
    request: z.object({ ids: ImageIds }),
    response: z.object({ ids: ImageIds }),
  }),
} as const;

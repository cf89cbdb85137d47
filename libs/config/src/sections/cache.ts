import { z } from 'zod';
import { flag, wholeNumber, words } from '../option-types.js';

/** The gateway's cache of image data. */
export const cache = z
  .strictObject({
    dir: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Directory in which a gateway keeps copies of image data, for stores that are far away; without it nothing is cached. Each gateway has one of its own.',
      ),
    maxBytes: wholeNumber(1)
      .default(10_737_418_240)
      .describe(
        'Most that the cache takes on disk, in bytes; the images that were not read for longest go first.',
      ),
    stores: words()
      .optional()
      .describe(
        'Ids of the stores whose images a download brings into the cache; default: all but those of type file. Queued images are cached whatever their store.',
      ),
    stallTimeMs: wholeNumber(1000)
      .default(60_000)
      .describe(
        'A store that sends nothing for this long while an image is fetched into the cache has failed, in milliseconds.',
      ),
    prefetchConcurrency: wholeNumber(1, 64)
      .default(2)
      .describe('Queued images that are fetched into the cache at once.'),
    managementRoutes: flag()
      .default(false)
      .describe(
        'Serve the older management routes /v2/cached_images and /v2/queued_images too (the flavour cachemanagement of Glance).',
      ),
  })
  .prefault({});

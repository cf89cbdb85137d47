import { z } from 'zod';
import { CopyState } from '../domain/verification.js';
import { event } from '../event.js';

/** Facts about the copies of images' data; the subject is the image's id. `storeId` is null where the store has no name. */
export const verificationEvents = {
  /** Somebody looked at a copy. */
  verified: event('image.copy.verified', {
    payload: z.object({
      imageId: z.string(),
      storeId: z.string().nullable(),
      state: CopyState,
      /** Whether it is read from, from now on. */
      isInService: z.boolean(),
      reason: z.string().nullable(),
    }),
  }),
  /** A good copy took the place of a damaged one. */
  repaired: event('image.copy.repaired', {
    payload: z.object({ imageId: z.string(), storeId: z.string().nullable() }),
  }),
} as const;

import { z } from 'zod';
import { Image } from '../domain/image.js';
import { event } from '../event.js';

const ImageChanged = z.object({ image: Image });

/** Without the URL, which may hold credentials. `storeId` is null where the location names no store. */
const ImageLocationChanged = z.object({ imageId: z.string(), storeId: z.string().nullable() });

/** Facts about images; the subject is the image's id. */
export const imageEvents = {
  created: event('image.created', { payload: ImageChanged }),
  updated: event('image.updated', { payload: ImageChanged }),
  /** Its data is there and whole. */
  activated: event('image.activated', { payload: ImageChanged }),
  /** An upload was given up; the image is queued again. */
  uploadFailed: event('image.upload_failed', {
    payload: z.object({ imageId: z.string(), reason: z.string() }),
  }),
  /** Nobody but admins may read its data until it is reactivated. */
  deactivated: event('image.deactivated', { payload: ImageChanged }),
  reactivated: event('image.reactivated', { payload: ImageChanged }),
  /** Its data can be had from one more place. */
  locationAdded: event('image.location.added', { payload: ImageLocationChanged }),
  /** Its data can not be had from there any more. */
  locationRemoved: event('image.location.removed', { payload: ImageLocationChanged }),
  deleted: event('image.deleted', {
    payload: z.object({
      imageId: z.string(),
      /** As it was last, with the status that it has now; left out by registries of an earlier release. */
      image: Image.optional(),
    }),
  }),
} as const;

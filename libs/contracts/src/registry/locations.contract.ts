import { z } from 'zod';
import { Caller } from '../domain/caller.js';
import { ImageId, ImageLocation } from '../domain/image.js';
import { ExpectedHash } from '../domain/location.js';
import { rpc } from '../rpc.js';

const OnImage = z.object({ ctx: Caller, id: ImageId });

/** Where the data of an image is, for those who register and fetch locations (API 2.17). */
export const registryLocations = {
  /**
   * Starts the task that registers the URL. Codes: IMAGE_NOT_FOUND, ACTION_FORBIDDEN, IMAGE_STATUS_CONFLICT where the
   * image has data or another task is at it.
   */
  add: rpc('registry.location.add', {
    request: OnImage.extend({ url: z.string(), expected: ExpectedHash.nullable() }),
    response: z.object({ taskId: z.string() }),
  }),
  /** Without the credentials that URLs may hold. Codes: IMAGE_NOT_FOUND, ACTION_FORBIDDEN, IMAGE_DEACTIVATED. */
  list: rpc('registry.location.list', {
    request: OnImage,
    response: z.object({ locations: z.array(ImageLocation) }),
  }),
} as const;

/** What callers do with stores. */
export const registryStores = {
  /** Whether the caller may know how the stores are configured. Codes: ACTION_FORBIDDEN. */
  mayDescribe: rpc('registry.store.mayDescribe', {
    request: z.object({ ctx: Caller }),
    response: z.object({}),
  }),
  /**
   * Forgets the image's data in one of several stores; a job removes it. Codes: STORE_NOT_CONFIGURED, IMAGE_NOT_FOUND,
   * ACTION_FORBIDDEN, IMAGE_STATUS_CONFLICT, LOCATION_IS_LAST, IMAGE_NOT_IN_STORE.
   */
  removeImage: rpc('registry.store.removeImage', {
    request: OnImage.extend({ storeId: z.string() }),
    response: z.object({}),
  }),
} as const;

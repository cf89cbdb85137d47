import { z } from 'zod';
import { Caller } from '../domain/caller.js';
import { ImageId } from '../domain/image.js';
import { CheckedCopy } from '../domain/verification.js';
import { rpc } from '../rpc.js';

const OnImage = z.object({ ctx: Caller, id: ImageId });
const Copies = z.object({ copies: z.array(CheckedCopy) });

/** Whether the data of images is still what was stored. */
export const registryVerification = {
  /** For the owner of the image, and admins. Codes: IMAGE_NOT_FOUND, ACTION_FORBIDDEN. */
  get: rpc('registry.verification.get', { request: OnImage, response: Copies }),
  /**
   * Has every copy of the image's data read again soon. For admins. Codes: IMAGE_NOT_FOUND, ACTION_FORBIDDEN,
   * IMAGE_STATUS_CONFLICT where the image has no data. Repeatable.
   */
  request: rpc('registry.verification.request', { request: OnImage, response: Copies }),
  /** Somebody found no data where the image has some: its copies are looked at soon, unless that was done lately. */
  suspect: rpc('registry.verification.suspect', {
    request: z.object({ imageId: z.string() }),
    response: z.object({}),
  }),
} as const;

import { z } from 'zod';
import { Caller } from '../domain/caller.js';
import { ImageId, ImageStatus } from '../domain/image.js';
import { Progress } from '../domain/progress.js';
import { Transfer } from '../domain/transfer.js';
import { rpc } from '../rpc.js';

/** Uploads in one report. */
export const MAX_REPORTED_UPLOADS = 500;

export const registryTransfers = {
  /** How far the uploads of a gateway have come; of those that it does not hold nothing is noted. */
  report: rpc('registry.transfer.report', {
    request: z.object({
      instanceId: z.string(),
      uploads: z.array(z.object({ uploadId: z.string(), progress: Progress })).max(MAX_REPORTED_UPLOADS),
    }),
    response: z.object({}),
    timeoutMs: 2_000,
  }),
  /**
   * The transfers of one image, or of all that are the caller's business: those that go on, and those that ended after
   * `endedSince` (epoch milliseconds). Codes: IMAGE_NOT_FOUND, ACTION_FORBIDDEN.
   */
  list: rpc('registry.transfer.list', {
    request: z.object({ ctx: Caller, imageId: ImageId.optional(), endedSince: z.int() }),
    response: z.object({
      transfers: z.array(Transfer),
      /** The image that was asked for. */
      image: z.object({ id: z.string(), status: ImageStatus }).nullable(),
      /** Whose transfers are the caller's business: everybody's, or those of one project's images. */
      audience: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('everybody') }),
        z.object({ kind: z.literal('project'), projectId: z.string().nullable() }),
      ]),
      /** Whether the caller may know why attempts failed. */
      tellsErrors: z.boolean(),
    }),
  }),
} as const;

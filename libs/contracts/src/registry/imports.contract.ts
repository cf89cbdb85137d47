import { z } from 'zod';
import { Caller } from '../domain/caller.js';
import { ByteCount, Image, ImageId, ImageLocation } from '../domain/image.js';
import { ConversionRequest, ImportRequest } from '../domain/import.js';
import { rpc } from '../rpc.js';

const OnImage = z.object({ ctx: Caller, id: ImageId });
const Done = z.object({});

/** The right to stage the data of one image; ends as that of an upload. */
export const StagingTicket = z.object({
  uploadId: z.string(),
  imageId: z.string(),
  /** What the project's quota leaves for data of unknown size, in bytes. */
  sizeCap: ByteCount.optional(),
});
export type StagingTicket = z.output<typeof StagingTicket>;

/** Bringing data into images in the background. */
export const registryImports = {
  /** queued → uploading. Codes: IMAGE_STATUS_CONFLICT, IMAGE_LOST_RACE, QUOTA_EXCEEDED. */
  beginStaging: rpc('registry.image.beginStaging', {
    request: OnImage.extend({
      instanceId: z.string(),
      /** Made by the caller, so that a repeated call is the same. */
      uploadId: z.string(),
      size: ByteCount.nullable(),
    }),
    response: StagingTicket,
  }),
  /** The data is whole; the image stays in uploading until it is imported. Codes: IMAGE_LOST_RACE, LEASE_LOST. Repeatable. */
  commitStaging: rpc('registry.image.commitStaging', {
    request: OnImage.extend({
      uploadId: z.string(),
      staged: z.object({ location: ImageLocation, size: ByteCount }),
    }),
    response: Done,
  }),
  /**
   * Begins the import; what becomes of it is seen of the image and its task. Codes: QUOTA_EXCEEDED, IMAGE_NOT_FOUND,
   * IMAGE_STATUS_CONFLICT, ACTION_FORBIDDEN, REQUEST_INVALID.
   */
  begin: rpc('registry.image.import', {
    request: OnImage.extend({ request: ImportRequest }),
    response: Done,
  }),
  /**
   * Begins to make a new image of the disk in this one, and answers with it. Codes: IMAGE_NOT_FOUND, IMAGE_STATUS_CONFLICT,
   * ACTION_FORBIDDEN, REQUEST_INVALID, QUOTA_EXCEEDED.
   */
  convert: rpc('registry.image.convert', {
    request: OnImage.extend({ request: ConversionRequest }),
    response: Image,
  }),
} as const;

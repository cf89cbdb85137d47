import { z } from 'zod';
import { Caller } from '../domain/caller.js';
import { ImageQuery } from '../domain/image-query.js';
import { Image, ImageId, ImageLocation, ImageStatus, ByteCount } from '../domain/image.js';
import { ImageChange, NewImage } from '../domain/new-image.js';
import { rpc } from '../rpc.js';

const OnImage = z.object({ ctx: Caller, id: ImageId });
/** Refuses with PRECONDITION_FAILED where the image's revision, as the caller sees it, is none of these. */
const IfMatch = z.object({ ifMatch: z.array(z.string()).optional() });
const OnTag = OnImage.extend({ tag: z.string(), ...IfMatch.shape });
const Done = z.object({});

/** The right to write the data of one image, until it is committed, aborted or its instance's lease runs out. */
export const UploadTicket = z.object({
  uploadId: z.string(),
  imageId: z.string(),
  /** The store to write to. */
  storeId: z.string(),
  diskFormat: z.string(),
  containerFormat: z.string(),
  /** What the project's quota leaves for data of unknown size, in bytes. */
  sizeCap: ByteCount.optional(),
});
export type UploadTicket = z.output<typeof UploadTicket>;

/** What was stored, as measured while it was written. */
export const StoredData = z.object({
  location: ImageLocation,
  size: ByteCount,
  virtualSize: ByteCount.nullable(),
  /** MD5 in lower-case hex; null where MD5 is switched off. */
  checksum: z.string().nullable(),
  osHashAlgo: z.string().nullable(),
  osHashValue: z.string().nullable(),
});
export type StoredData = z.output<typeof StoredData>;

/** What a download needs. Goes to the gateway alone, never to a client. */
export const DownloadTicket = z.object({
  imageId: z.string(),
  /** Left out by registries of an earlier release, as the hash is. */
  status: ImageStatus.optional(),
  /** The project that owns it; left out by registries of an earlier release. */
  owner: z.string().nullable().optional(),
  size: ByteCount.nullable(),
  checksum: z.string().nullable(),
  osHashAlgo: z.string().nullable().optional(),
  osHashValue: z.string().nullable().optional(),
  /** Best first; empty when the image has no data. */
  locations: z.array(ImageLocation),
});
export type DownloadTicket = z.output<typeof DownloadTicket>;

export const registryImages = {
  /** Codes: IMAGE_DUPLICATE, ACTION_FORBIDDEN, PROPERTY_FORBIDDEN, QUOTA_EXCEEDED, IMAGE_INVALID. */
  create: rpc('registry.image.create', {
    request: z.object({ ctx: Caller, image: NewImage }),
    response: Image,
  }),
  /** Codes: IMAGE_NOT_FOUND. */
  get: rpc('registry.image.get', { request: OnImage, response: Image }),
  /** Codes: MARKER_NOT_FOUND, MARKER_FORBIDDEN, ACTION_FORBIDDEN. */
  list: rpc('registry.image.list', {
    request: z.object({ ctx: Caller, query: ImageQuery }),
    /** `isFullPage`: the database had as many rows as were asked for, so there may be more. */
    response: z.object({
      images: z.array(Image),
      isFullPage: z.boolean(),
      /** Images that match, on all pages; `isLimit`: counting ended there, and there are more. */
      count: z.object({ value: z.int(), isLimit: z.boolean() }).optional(),
    }),
  }),
  /** All changes or none. Codes: those of create, and PROPERTY_NOT_FOUND, PROPERTY_DUPLICATE, IMAGE_NOT_FOUND. */
  update: rpc('registry.image.update', {
    request: OnImage.extend({ changes: z.array(ImageChange), ...IfMatch.shape }),
    response: Image,
  }),
  /** Answers when the image is gone for everybody; its data follows by a job. Codes: IMAGE_PROTECTED, … */
  delete: rpc('registry.image.delete', { request: OnImage.extend(IfMatch.shape), response: Done }),
  /** active → deactivated; nothing where it is that already. Codes: ACTION_FORBIDDEN in any other status. */
  deactivate: rpc('registry.image.deactivate', { request: OnImage, response: Done }),
  /** deactivated → active; nothing where it is that already. Codes: ACTION_FORBIDDEN in any other status. */
  reactivate: rpc('registry.image.reactivate', { request: OnImage, response: Done }),
  addTag: rpc('registry.image.addTag', { request: OnTag, response: Done }),
  removeTag: rpc('registry.image.removeTag', { request: OnTag, response: Done }),

  /**
   * queued → saving. Codes: IMAGE_STATUS_CONFLICT, IMAGE_FORMATS_MISSING, IMAGE_LOST_RACE, QUOTA_EXCEEDED.
   * `storeId` was checked by the gateway, which knows the stores.
   */
  beginUpload: rpc('registry.image.beginUpload', {
    request: OnImage.extend({
      instanceId: z.string(),
      /** Made by the caller, so that a repeated call is the same upload. */
      uploadId: z.string(),
      storeId: z.string(),
      size: ByteCount.nullable(),
    }),
    response: UploadTicket,
  }),
  /** saving → active, with everything that was measured. Codes: IMAGE_LOST_RACE, LEASE_LOST. Repeatable. */
  commitUpload: rpc('registry.image.commitUpload', {
    request: OnImage.extend({ uploadId: z.string(), stored: StoredData }),
    response: Done,
  }),
  /**
   * saving → queued; the caller has removed what it had written. Where it could not, `hasLeftovers` has a worker do so
   * first. Repeatable; a lost race is no error.
   */
  abortUpload: rpc('registry.image.abortUpload', {
    request: OnImage.extend({
      uploadId: z.string(),
      reason: z.string(),
      /** The code of the error, where it is known; left out by gateways of an earlier release. */
      code: z.string().optional(),
      hasLeftovers: z.boolean().optional(),
    }),
    response: Done,
  }),
  /**
   * `choosesStores`: the caller says which stores to read from, which is a right of its own. Codes: IMAGE_NOT_FOUND,
   * IMAGE_DEACTIVATED, ACTION_FORBIDDEN.
   */
  openDownload: rpc('registry.image.openDownload', {
    request: OnImage.extend({ choosesStores: z.boolean().optional() }),
    response: DownloadTicket,
  }),
} as const;

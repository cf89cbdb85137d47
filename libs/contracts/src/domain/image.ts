import { z } from 'zod';

export const imageStatuses = [
  'queued',
  'saving',
  'uploading',
  'importing',
  'active',
  'deactivated',
  'killed',
  'pending_delete',
  'deleted',
] as const;
export const ImageStatus = z.enum(imageStatuses);
export type ImageStatus = z.output<typeof ImageStatus>;

export const visibilities = ['community', 'public', 'private', 'shared'] as const;
export const Visibility = z.enum(visibilities);
export type Visibility = z.output<typeof Visibility>;

/** Bytes, below 2^53. */
export const ByteCount = z.int().min(0);

/** `YYYY-MM-DDTHH:MM:SSZ`, whole seconds. */
export const Timestamp = z.string();

/** An image's id as it appears in a URL: any text, looked up, never validated (spec/data-model.md section 3). */
export const ImageId = z.string();

/** Custom properties. The deployer properties kernel_id and ramdisk_id may hold null. */
export const Properties = z.record(z.string(), z.string().nullable());
export type Properties = z.output<typeof Properties>;

/** Where the bytes of an image are. */
export const ImageLocation = z.object({
  /** As glance_store writes it, e.g. `file:///var/lib/glimpse/images/<id>`. */
  url: z.string(),
  /** `store` names the store; other keys are the driver's. */
  metadata: z.record(z.string(), z.unknown()),
});
export type ImageLocation = z.output<typeof ImageLocation>;

/** An image as the registry describes it. */
export const Image = z.object({
  id: z.string(),
  name: z.string().nullable(),
  status: ImageStatus,
  visibility: Visibility,
  protected: z.boolean(),
  osHidden: z.boolean(),
  owner: z.string().nullable(),
  diskFormat: z.string().nullable(),
  containerFormat: z.string().nullable(),
  size: ByteCount.nullable(),
  virtualSize: ByteCount.nullable(),
  checksum: z.string().nullable(),
  osHashAlgo: z.string().nullable(),
  osHashValue: z.string().nullable(),
  /** MiB. */
  minRam: z.int(),
  /** GiB. */
  minDisk: z.int(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  tags: z.array(z.string()),
  properties: Properties,
  /** The ids of the stores that hold the data, best first. */
  stores: z.array(z.string()),
  /** The best location's URL without credentials; only in answers to callers, where the configuration shows it. */
  directUrl: z.string().optional(),
  /** As `directUrl`; best first. */
  locations: z.array(ImageLocation).optional(),
  /** Changes with everything that is stored of the image; what an `ETag` is made of. Only where one image is answered. */
  revision: z.string().optional(),
});
export type Image = z.output<typeof Image>;

/** The store that a location names; older rows of Glance's say `backend`. */
export function storeOf({ metadata: { store, backend } }: ImageLocation): string | undefined {
  return typeof store === 'string' ? store : typeof backend === 'string' ? backend : undefined;
}

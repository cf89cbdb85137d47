import type { Image, ImageMember } from '@glimpse/contracts';

/** Made for clients when an image is read; it is no property of Glance's. */
const DAMAGED_STORES = 'os_glance_damaged_stores';
const IMPORTING = 'os_glance_importing_to_stores';
const FAILED = 'os_glance_failed_import';

/** An image as Glance's notifications show it: without hashes, visibility to lists and locations. */
export function imagePayload(image: Image, deletedAt: string | null = null) {
  const properties = Object.entries(image.properties).filter(([name]) => name !== DAMAGED_STORES);
  return {
    id: image.id,
    name: image.name,
    status: image.status,
    created_at: image.createdAt,
    updated_at: image.updatedAt,
    min_disk: image.minDisk,
    min_ram: image.minRam,
    protected: image.protected,
    checksum: image.checksum,
    owner: image.owner,
    disk_format: image.diskFormat,
    container_format: image.containerFormat,
    size: image.size,
    virtual_size: image.virtualSize,
    is_public: image.visibility === 'public',
    visibility: image.visibility,
    properties: Object.fromEntries(properties),
    tags: image.tags,
    deleted: deletedAt !== null,
    deleted_at: deletedAt,
  };
}

/** An image with the lists of its import, as the notifications of written data have them. */
export const uploadPayload = (image: Image) => ({
  ...imagePayload(image),
  [IMPORTING]: storesIn(image, IMPORTING),
  [FAILED]: storesIn(image, FAILED),
});

const storesIn = ({ properties }: Image, mark: string): string[] =>
  (properties[mark] ?? '').split(',').filter((store) => store !== '');

/** The image with other lists of its import. */
export const withStores = (
  image: Image,
  stores: { readonly importing: readonly string[]; readonly failed: readonly string[] },
): Image => ({
  ...image,
  properties: {
    ...image.properties,
    [IMPORTING]: stores.importing.toSorted().join(','),
    [FAILED]: stores.failed.toSorted().join(','),
  },
});

export const memberPayload = (member: ImageMember, deletedAt: string | null = null) => ({
  image_id: member.imageId,
  member_id: member.memberId,
  status: member.status,
  created_at: member.createdAt,
  updated_at: member.updatedAt,
  deleted: deletedAt !== null,
  deleted_at: deletedAt,
});

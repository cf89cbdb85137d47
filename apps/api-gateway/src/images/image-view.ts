import type { Image } from '@glimpse/contracts';

const NULLABLE_PROPERTIES = new Set(['kernel_id', 'ramdisk_id']);

// What other workers of Glance note for themselves in a shared database.
const HIDDEN_PROPERTIES = new Set(['os_glance_stage_host', 'os_glance_hash_op_host']);

function viewProperties(properties: Image['properties']): Record<string, string | null> {
  const view: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(properties)) {
    if (HIDDEN_PROPERTIES.has(name)) continue;
    view[name] = value ?? (NULLABLE_PROPERTIES.has(name) ? null : '');
  }
  return view;
}

export const imagePath = (id: string): string => `/v2/images/${encodeURIComponent(id)}`;

/** An image as clients see it: the one place where the names and the null rules of the wire are written. */
export function toImageView(image: Image, { isMultiStore }: { isMultiStore: boolean }) {
  const self = imagePath(image.id);
  return {
    // A custom property never shadows a field of the image.
    ...viewProperties(image.properties),
    id: image.id,
    name: image.name,
    status: image.status,
    visibility: image.visibility,
    protected: image.protected,
    os_hidden: image.osHidden,
    checksum: image.checksum,
    os_hash_algo: image.osHashAlgo,
    os_hash_value: image.osHashValue,
    owner: image.owner,
    size: image.size,
    virtual_size: image.virtualSize,
    container_format: image.containerFormat,
    disk_format: image.diskFormat,
    created_at: image.createdAt,
    updated_at: image.updatedAt,
    min_ram: image.minRam,
    min_disk: image.minDisk,
    tags: image.tags,
    ...(isMultiStore && image.stores.length > 0 ? { stores: image.stores.join(',') } : {}),
    ...(image.directUrl === undefined ? {} : { direct_url: image.directUrl }),
    ...(image.locations === undefined ? {} : { locations: image.locations }),
    self,
    file: `${self}/file`,
    schema: '/v2/schemas/image',
  };
}

export type ImageView = ReturnType<typeof toImageView>;

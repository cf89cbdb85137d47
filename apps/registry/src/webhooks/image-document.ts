import type { Image } from '@glimpse/contracts';

/**
 * An image as the API shows it, without where its data is: `properties` are those that its project may see whoever of
 * it asks.
 */
export const imageDocument = (image: Image, properties: Image['properties']) => ({
  ...properties,
  id: image.id,
  name: image.name,
  status: image.status,
  visibility: image.visibility,
  protected: image.protected,
  os_hidden: image.osHidden,
  owner: image.owner,
  disk_format: image.diskFormat,
  container_format: image.containerFormat,
  size: image.size,
  virtual_size: image.virtualSize,
  checksum: image.checksum,
  os_hash_algo: image.osHashAlgo,
  os_hash_value: image.osHashValue,
  min_ram: image.minRam,
  min_disk: image.minDisk,
  tags: image.tags,
  created_at: image.createdAt,
  updated_at: image.updatedAt,
});

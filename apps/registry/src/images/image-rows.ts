import { type Image, ImageStatus, Visibility } from '@glimpse/contracts';
import { type ImageRow, fromDatabaseTime } from '@glimpse/persistence';

/** The columns of an image that are read, of the table `images i`. */
export const imageColumns = [
  'id',
  'name',
  'status',
  'visibility',
  'protected',
  'os_hidden',
  'owner',
  'disk_format',
  'container_format',
  'size',
  'virtual_size',
  'checksum',
  'os_hash_algo',
  'os_hash_value',
  'min_ram',
  'min_disk',
  'created_at',
  'updated_at',
] as const satisfies readonly (keyof ImageRow)[];

export const imageColumnList = imageColumns.map((name) => `i.${name}`).join(', ');

export type ReadImageRow = Pick<ImageRow, (typeof imageColumns)[number]>;

type OwnAttributes = Omit<Image, 'tags' | 'properties' | 'stores'>;

/** An image's own row in the words of the contract. */
export function toImageAttributes(row: ReadImageRow): OwnAttributes {
  return {
    id: row.id,
    name: row.name,
    status: ImageStatus.parse(row.status),
    visibility: Visibility.parse(row.visibility),
    protected: row.protected === 1,
    osHidden: row.os_hidden === 1,
    owner: row.owner,
    diskFormat: row.disk_format,
    containerFormat: row.container_format,
    size: row.size,
    virtualSize: row.virtual_size,
    checksum: row.checksum,
    osHashAlgo: row.os_hash_algo,
    osHashValue: row.os_hash_value,
    minRam: row.min_ram,
    minDisk: row.min_disk,
    createdAt: fromDatabaseTime(row.created_at),
    updatedAt: fromDatabaseTime(row.updated_at ?? row.created_at),
  };
}

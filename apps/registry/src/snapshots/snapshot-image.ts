import { type Caller, type NewImage, type SnapshotOrder, isInternalProperty } from '@glimpse/contracts';

/** What Nova sets of a snapshot (spec/data-model.md section 5), and no request's `properties` say. */
export const snapshotPropertyNames: ReadonlySet<string> = new Set([
  'instance_uuid',
  'user_id',
  'image_type',
  'backup_type',
  'base_image_ref',
  'image_location',
  'image_state',
  'owner_id',
]);

/** What was said of the image that the server was made of, and is not true of its snapshot. */
const notInherited: ReadonlySet<string> = new Set([
  'cache_in_nova',
  'bittorrent',
  'cinder_encryption_key_id',
  'cinder_encryption_key_deletion_policy',
]);
/** As Nova has it: these are removed where they say nothing. */
const namesOfParts: ReadonlySet<string> = new Set(['kernel_id', 'ramdisk_id']);

const isKept = ([name, value]: [string, string]): boolean =>
  !notInherited.has(name) &&
  !name.startsWith('img_signature') &&
  !isInternalProperty(name) &&
  !(namesOfParts.has(name) && value === '') &&
  // Without a word on it the image that the server was made of is what its own image says.
  (name === 'base_image_ref' || !snapshotPropertyNames.has(name));

/** The image that is to become the snapshot, with the properties that Nova gives one. */
export function snapshotImage(ctx: Caller, order: SnapshotOrder): NewImage {
  const { image_type, backup_type, base_image_ref } = order;
  const properties = {
    ...Object.fromEntries(Object.entries(order.properties).filter(isKept)),
    instance_uuid: order.instance_id,
    ...(ctx.userId === null ? {} : { user_id: ctx.userId }),
    image_type,
    ...(image_type === 'backup' && backup_type !== undefined ? { backup_type } : {}),
    ...(base_image_ref === undefined ? {} : { base_image_ref }),
    image_location: 'snapshot',
    image_state: 'available',
    ...(ctx.projectId === null ? {} : { owner_id: ctx.projectId }),
  };
  return {
    name: order.name,
    visibility: order.visibility,
    protected: order.protected,
    diskFormat: order.disk_format ?? order.source.format,
    containerFormat: order.container_format,
    minDisk: order.min_disk ?? 0,
    minRam: order.min_ram ?? 0,
    tags: order.tags,
    properties,
  };
}

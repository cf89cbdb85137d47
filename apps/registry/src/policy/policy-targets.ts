import type { Image } from '@glimpse/contracts';
import { type PolicyTarget, type PolicyValue, targetWith } from '@glimpse/policy';

/** What rules look at where there is no image: who would own what is made or listed, and who could see it. */
export interface ResourceTarget {
  readonly owner: string | null;
  readonly visibility: Image['visibility'];
}

export const resourceTarget = ({ owner, visibility }: ResourceTarget): PolicyTarget =>
  targetWith({ project_id: owner, owner, visibility });

/** Of an image at least what decides who may know of it; rules that ask for more find what is there. */
export type TargetImage = Pick<Image, 'id' | 'owner' | 'visibility'> & Partial<Image>;

type Reader = (image: TargetImage) => PolicyValue;
const id: Reader = (image) => image.id;
const owner: Reader = (image) => image.owner;

/** The attributes of an image by the names that Glance's rules use. */
const readers: ReadonlyMap<string, Reader> = new Map(
  Object.entries({
    id,
    image_id: id,
    project_id: owner,
    owner,
    visibility: (image) => image.visibility,
    name: (image) => image.name,
    status: (image) => image.status,
    protected: (image) => image.protected,
    os_hidden: (image) => image.osHidden,
    disk_format: (image) => image.diskFormat,
    container_format: (image) => image.containerFormat,
    size: (image) => image.size,
    virtual_size: (image) => image.virtualSize,
    checksum: (image) => image.checksum,
    os_hash_algo: (image) => image.osHashAlgo,
    os_hash_value: (image) => image.osHashValue,
    min_ram: (image) => image.minRam,
    min_disk: (image) => image.minDisk,
    created_at: (image) => image.createdAt,
    updated_at: (image) => image.updatedAt,
    tags: (image) => image.tags,
  } satisfies Record<string, Reader>),
);

/**
 * An image as rules see it: its attributes, and its custom properties by their names. `memberId` is the caller's project
 * where the image is another one's and shared with it, otherwise null; undefined for a caller without a project, who would
 * else be equal to it.
 */
export const imageTarget =
  (image: TargetImage, memberId: string | null | undefined): PolicyTarget =>
  (name) => {
    const read = readers.get(name);
    if (read !== undefined) return read(image);
    if (name === 'member_id' || name === 'member') return memberId;
    const properties = image.properties ?? {};
    return Object.hasOwn(properties, name) ? properties[name] : undefined;
  };

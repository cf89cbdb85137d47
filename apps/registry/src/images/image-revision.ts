import { hash } from 'node:crypto';
import type { Image } from '@glimpse/contracts';
import type { StoredImage } from './stored-image.js';

const byText = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]) => byText(one, other);

const sorted = <T>(list: readonly T[], compare: (one: T, other: T) => number): readonly T[] =>
  list.length < 2 ? list : list.toSorted(compare);

type Attribute = Exclude<
  keyof Image,
  'tags' | 'properties' | 'stores' | 'directUrl' | 'locations' | 'revision'
>;

/** All of an image that is stored in a row of its own. The compiler sees to it that none is missing. */
const attributes = Object.keys({
  id: true,
  name: true,
  status: true,
  visibility: true,
  protected: true,
  osHidden: true,
  owner: true,
  diskFormat: true,
  containerFormat: true,
  size: true,
  virtualSize: true,
  checksum: true,
  osHashAlgo: true,
  osHashValue: true,
  minRam: true,
  minDisk: true,
  createdAt: true,
  updatedAt: true,
} satisfies Record<Attribute, true>) as Attribute[];

/**
 * What an image that is shown as `shown` is a revision of: another text whenever anything of what is stored differs, or
 * anything of what is shown. The order in which the database has the parts makes no difference.
 */
export function revisionOf({ image, locations }: StoredImage, shown: Image): string {
  const content = [
    attributes.map((name) => image[name]),
    sorted(image.tags, byText),
    sorted(Object.entries(image.properties), byName),
    sorted(
      locations.map((location) => JSON.stringify(location)),
      byText,
    ),
    image.stores,
    // Others may see more of it: their document is another one.
    shown === image ? null : sorted(Object.keys(shown.properties), byText),
  ];
  return hash('sha256', JSON.stringify(content), 'base64url');
}

import { hash } from 'node:crypto';
import type { Image } from '@glimpse/contracts';
import type { StoredImage } from './stored-image.js';

const byText = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]) => byText(one, other);

/**
 * What an image that is shown as `shown` is a revision of: another text whenever anything of what is stored differs, or
 * anything of what is shown. The order in which the database has the parts makes no difference.
 */
export function revisionOf({ image, locations }: StoredImage, shown: Image): string {
  const { tags, properties, stores, ...attributes } = image;
  const content = [
    Object.entries(attributes)
      .filter(([name]) => name !== 'revision')
      .toSorted(byName),
    tags.toSorted(byText),
    Object.entries(properties).toSorted(byName),
    locations.map((location) => JSON.stringify(location)).toSorted(byText),
    stores,
    // Others may see more of it: their document is another one.
    shown === image ? null : Object.keys(shown.properties).toSorted(byText),
  ];
  return hash('sha256', JSON.stringify(content), 'base64url');
}

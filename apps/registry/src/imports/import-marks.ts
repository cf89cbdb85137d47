import type { Image } from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';
import { saveProperties } from '../images/image-properties.js';

/** The properties by which clients follow an import; they stay when it has ended. */
const IMPORTING = 'os_glance_importing_to_stores';
const FAILED = 'os_glance_failed_import';

/**
 * Writes which stores an import has still to do, and which have failed; with `more` properties, which take the place of those
 * that are there. The transaction holds the image.
 */
export async function markImport(
  tx: Transaction,
  { id, properties }: Pick<Image, 'id' | 'properties'>,
  stores: { readonly importing: readonly string[]; readonly failed: readonly string[] },
  now: string,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const marks = {
    [IMPORTING]: stores.importing.toSorted().join(','),
    [FAILED]: stores.failed.toSorted().join(','),
  };
  await saveProperties(tx, id, properties, { ...properties, ...more, ...marks }, now);
}

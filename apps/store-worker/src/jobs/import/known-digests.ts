import type { ImportSource } from '@glimpse/contracts';

type Known = Extract<ImportSource, { kind: 'copy' }>['known'];

/** The strongest digest that is known of data; what is read is that data when it has it too. */
export function digestsOf({ checksum, osHashAlgo, osHashValue }: Known): ReadonlyMap<string, string> {
  if (osHashAlgo !== null && osHashValue !== null) return new Map([[osHashAlgo, osHashValue]]);
  return new Map(checksum === null ? [] : [['md5', checksum]]);
}

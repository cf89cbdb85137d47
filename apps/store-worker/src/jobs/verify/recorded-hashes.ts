import { getHashes } from 'node:crypto';
import type { RecordedData } from '@glimpse/contracts';
import type { HashedImage } from '@glimpse/pipeline';

/** What has to be computed to compare data with what is recorded of it. */
export interface HashPlan {
  readonly hashAlgorithm: string;
  readonly md5: boolean;
}

const known = new Set(getHashes().map((name) => name.toLowerCase()));
const isSame = (one: string, other: string | null) => one.toLowerCase() === other?.toLowerCase();

/** The recorded hash, where it is of a kind that can be computed. An algorithm without a value has none yet. */
function strongHashOf({
  osHashAlgo,
  osHashValue,
}: RecordedData): { algorithm: string; value: string } | undefined {
  if (osHashAlgo === null || osHashValue === null || !known.has(osHashAlgo.toLowerCase())) return undefined;
  return { algorithm: osHashAlgo.toLowerCase(), value: osHashValue };
}

/** Undefined where nothing is recorded to compare with. */
export function planOf(recorded: RecordedData): HashPlan | undefined {
  const strong = strongHashOf(recorded);
  if (strong !== undefined) return { hashAlgorithm: strong.algorithm, md5: recorded.checksum !== null };
  return recorded.checksum === null ? undefined : { hashAlgorithm: 'md5', md5: true };
}

/** Whether the data is, by all that is recorded of it, the same. */
export function isRecorded(recorded: RecordedData, hashed: HashedImage): boolean {
  const strong = strongHashOf(recorded);
  if (recorded.size !== null && hashed.size !== recorded.size) return false;
  if (strong !== undefined && !isSame(strong.value, hashed.osHashValue)) return false;
  return recorded.checksum === null || isSame(recorded.checksum, hashed.checksum);
}

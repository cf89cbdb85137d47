import { createHash, getHashes } from 'node:crypto';
import { type DownloadTicket, ByteCount } from '@glimpse/contracts';
import { z } from 'zod';

/** A hash that the data of an image must have. */
export interface ExpectedHash {
  readonly algorithm: string;
  /** Lower-case hex. */
  readonly value: string;
}

/** The data of an image as the registry knows it: what is to be in the cache. */
export interface WantedImage {
  readonly imageId: string;
  /** The same for the same bytes only: a copy in the cache that has another one is of no use. */
  readonly identity: string;
  readonly size: number;
  readonly checksum: string | null;
  /** Null where nobody knows one that can be computed here. */
  readonly hash: ExpectedHash | null;
}

const hashNames = new Set(getHashes());

function expectedHash({ osHashAlgo, osHashValue, checksum }: DownloadTicket): ExpectedHash | null {
  if (osHashAlgo != null && osHashValue != null && hashNames.has(osHashAlgo))
    return { algorithm: osHashAlgo, value: osHashValue.toLowerCase() };
  return checksum === null ? null : { algorithm: 'md5', value: checksum.toLowerCase() };
}

/** Without any hash the data is known by where it lies. */
function digestOfLocations({ locations }: DownloadTicket): string {
  const hash = createHash('sha256');
  for (const url of locations.map((location) => location.url).toSorted()) hash.update(`${url}\n`);
  return hash.digest('hex');
}

/** What the cache has to know of an image of `size` bytes. */
export function wantedImage(ticket: DownloadTicket, size: number): WantedImage {
  const hash = expectedHash(ticket);
  return {
    imageId: ticket.imageId,
    identity: hash === null ? `locations:${digestOfLocations(ticket)}` : `${hash.algorithm}:${hash.value}`,
    size,
    checksum: ticket.checksum,
    hash,
  };
}

/** An image in the cache, as it is kept beside its data. Times are milliseconds since 1970. */
export const CachedImage = z.object({
  imageId: z.string(),
  identity: z.string(),
  size: ByteCount,
  checksum: z.string().nullable(),
  /** How often it was read without reading its store. */
  hits: z.int().min(0),
  lastAccessed: z.number(),
  lastModified: z.number(),
});
export type CachedImage = z.output<typeof CachedImage>;

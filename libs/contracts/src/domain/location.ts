import { z } from 'zod';
import type { ImageLocation } from './image.js';

/** Algorithms with which a new location can be verified, and the characters of their digests in hex. */
export const locationHashLengths = { md5: 32, sha1: 40, sha256: 64, sha512: 128 } as const;
export const LocationHashAlgorithm = z.enum(
  Object.keys(locationHashLengths) as [
    keyof typeof locationHashLengths,
    ...(keyof typeof locationHashLengths)[],
  ],
);

/** What the data at a location is said to hash to. */
export const ExpectedHash = z.object({ algorithm: z.string(), value: z.string() });
export type ExpectedHash = z.output<typeof ExpectedHash>;

/** A location as a PATCH gives it. */
export const NewLocation = z.object({
  url: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  validation_data: z
    .object({
      checksum: z.string().optional(),
      os_hash_algo: z.string(),
      os_hash_value: z.string(),
    })
    .optional(),
});
export type NewLocation = z.output<typeof NewLocation>;

/** Data that a worker found behind a URL. */
export const ProbedLocation = z.object({
  /** Bytes, at least one. */
  size: z.int().min(1),
  /** The store that can read it. */
  storeId: z.string(),
});
export type ProbedLocation = z.output<typeof ProbedLocation>;

/** Stores whose URLs hold the credentials of the whole store, in which there may be a slash or an at sign. */
const STORE_CREDENTIALS = /^((?:s3|swift)(?:\+[a-z]+)?:\/\/)(.*)@/i;
const USER_INFO = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@/i;

/** The URL without the credentials that it may hold: what may be shown, logged and announced. */
export const withoutCredentials = (url: string): string =>
  STORE_CREDENTIALS.test(url) ? url.replace(STORE_CREDENTIALS, '$1') : url.replace(USER_INFO, '$1');

/** A location as it is shown to clients: without credentials, and with the name of its store as it is written today. */
export function toShownLocation({ url, metadata }: ImageLocation): ImageLocation {
  const { backend, ...rest } = metadata;
  return {
    url: withoutCredentials(url),
    metadata: backend === undefined || rest['store'] !== undefined ? metadata : { ...rest, store: backend },
  };
}

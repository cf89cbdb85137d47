import { z } from 'zod';
import { Caller } from './caller.js';
import { ByteCount, ImageLocation } from './image.js';
import { withoutCredentials } from './location.js';

/** The store in which data waits to be imported. Clients never see it, and can't name it. */
export const STAGING_STORE = 'os_glance_staging_store';

/** Names what one upload stages: another one of the same image is another object, so that removing one harms no other. */
export const stagedKeyOf = (imageId: string, uploadId: string): string => `${imageId}.${uploadId}`;

/** Characters of a digest in hex, by the name of its algorithm. */
export const digestLengths = { md5: 32, sha1: 40, sha224: 56, sha256: 64, sha384: 96, sha512: 128 } as const;

/** What data that is downloaded must hash to. */
export const ExpectedDigest = z.object({ algorithm: z.string(), value: z.string() });
export type ExpectedDigest = z.output<typeof ExpectedDigest>;

/** Where the data of an import comes from, as the client says it. */
export const ImportMethod = z.discriminatedUnion('name', [
  /** What was staged before. */
  z.object({ name: z.literal('glance-direct') }),
  /** A web server. */
  z.object({
    name: z.literal('web-download'),
    uri: z.string(),
    expectedDigest: ExpectedDigest.optional(),
  }),
  /** The stores that have it already. */
  z.object({ name: z.literal('copy-image') }),
  /** The image service of another region of the cloud. */
  z.object({
    name: z.literal('glance-download'),
    region: z.string().nullable(),
    imageId: z.string().nullable(),
    serviceInterface: z.enum(['public', 'internal', 'admin']),
    /** Where it is, and by what it knows the caller; null where the caller's catalogue has no such place. */
    remote: z.object({ url: z.string(), token: z.string() }).nullable(),
  }),
]);
export type ImportMethod = z.output<typeof ImportMethod>;

/** A request for an import, parsed by the gateway. */
export const ImportRequest = z.object({
  method: ImportMethod,
  /** The stores that the body names; null where it names none. */
  stores: z.array(z.string()).nullable(),
  /** The store that the header names. */
  headerStore: z.string().nullable(),
  /** Every store that can be written to. */
  allStores: z.boolean(),
  /** One store that fails makes the whole import fail. */
  allStoresMustSucceed: z.boolean(),
  /** As it was sent, without credentials; what the task shows. */
  body: z.record(z.string(), z.unknown()),
});
export type ImportRequest = z.output<typeof ImportRequest>;

/** What is to be made of the disk in an image. */
export const ConversionRequest = z.object({
  diskFormat: z.enum(['raw', 'qcow2', 'vmdk']),
  /** Of the new image; null for the same. */
  name: z.string().nullable(),
  /** Where it goes; null for the default store. */
  stores: z.array(z.string()).nullable(),
});
export type ConversionRequest = z.output<typeof ConversionRequest>;

/** What the data of an image is known to be. */
const KnownData = z.object({
  size: ByteCount.nullable(),
  checksum: z.string().nullable(),
  osHashAlgo: z.string().nullable(),
  osHashValue: z.string().nullable(),
});

/** From where the worker reads. */
export const ImportSource = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('staged'), location: ImageLocation, size: ByteCount }),
  z.object({ kind: z.literal('web'), uri: z.string(), digest: ExpectedDigest.optional() }),
  /** Another image, best location first; what is read must be what is known. */
  z.object({ kind: z.literal('image'), locations: z.array(ImageLocation), known: KnownData }),
  /** The token is the caller's. */
  z.object({ kind: z.literal('glance'), url: z.string(), imageId: z.string(), token: z.string() }),
  /** The disk of a server, where compute offers it. */
  z.object({
    kind: z.literal('snapshot'),
    uri: z.string(),
    format: z.string(),
    /** To a server that allows several. */
    connections: z.int().min(1),
    /** Only what changed since the parent was made is read there; the rest is the parent's. */
    incremental: z
      .object({
        dirtyBitmap: z.string(),
        parent: z.object({
          imageId: z.string(),
          /** Best first; what is read must be what is known. */
          locations: z.array(ImageLocation),
          diskFormat: z.string(),
          known: KnownData,
        }),
      })
      .nullable(),
  }),
  /** Best first; what is read must be what is known. */
  z.object({ kind: z.literal('copy'), locations: z.array(ImageLocation), known: KnownData }),
]);
export type ImportSource = z.output<typeof ImportSource>;

/** What is done with the data before it is stored; in the order of the list. */
export const ImportStep = z.discriminatedUnion('name', [
  /** Data that is compressed is expanded; other data stays as it is. */
  z.object({ name: z.literal('decompress') }),
  /** Of an OVA the disk is taken. */
  z.object({ name: z.literal('unpack-ova') }),
  z.object({
    name: z.literal('convert'),
    diskFormat: z.string(),
    /** Of qcow2: its clusters are compressed. */
    compressed: z.boolean().optional(),
  }),
]);
export type ImportStep = z.output<typeof ImportStep>;

/** Brings data into one or several stores, reading it once. */
export const ImportPayload = z.object({
  imageId: z.string(),
  taskId: z.string(),
  /** Names what this import writes, so that what is left of an attempt can be removed: see {@link attemptIdOf}. */
  importId: z.string(),
  /** Who asked for it: their quotas count, and the audit trail names them. */
  ctx: Caller,
  source: ImportSource,
  storeIds: z.array(z.string()),
  allMustSucceed: z.boolean(),
  diskFormat: z.string(),
  containerFormat: z.string(),
  /** Bytes that the data may have at most, as it is stored. */
  sizeCap: ByteCount,
  steps: z.array(ImportStep).default([]),
});
export type ImportPayload = z.output<typeof ImportPayload>;

/** The URI without passwords, and without its query, which may be a signature. */
export const uriWithoutSecrets = (uri: string): string => withoutCredentials(uri).replace(/[?#].*$/s, '');

/**
 * The payload of an import that has ended, without what nobody but its worker needed: tokens, passwords in URLs, and their
 * queries, which may be signatures. Undefined where there is nothing of the kind.
 */
export function endedImportPayload(payload: ImportPayload): ImportPayload | undefined {
  const { source } = payload;
  if (source.kind === 'glance') return { ...payload, source: { ...source, token: '' } };
  if (source.kind !== 'web' && source.kind !== 'snapshot') return undefined;
  const uri = uriWithoutSecrets(source.uri);
  return uri === source.uri ? undefined : { ...payload, source: { ...source, uri } };
}

/** What one attempt at an import writes under. */
export const attemptIdOf = (importId: string, attempt: number): string => `${importId}-${attempt}`;

/** Whether something may be named by {@link attemptIdOf}, and not by somebody else. */
export const isAttemptId = (name: string): boolean =>
  /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-[1-9]\d*$/.test(name);

/** What came of an import that ended: nothing is left in a store that is not in `stored`. */
export const ImportResult = z.object({
  /** What was read; null where it could not be read to its end. */
  data: z
    .object({
      size: ByteCount,
      virtualSize: ByteCount.nullable(),
      checksum: z.string().nullable(),
      osHashAlgo: z.string(),
      osHashValue: z.string(),
      /** Where the steps of the import changed them. */
      diskFormat: z.string().optional(),
      containerFormat: z.string().optional(),
      /** What came along with the data. */
      properties: z.record(z.string(), z.string()).optional(),
    })
    .nullable(),
  stored: z.array(z.object({ storeId: z.string(), location: ImageLocation })),
  /** The stores that don't have it, with the reason. */
  failed: z.array(z.object({ storeId: z.string(), reason: z.string() })),
});
export type ImportResult = z.output<typeof ImportResult>;

import { isAbsolute } from 'node:path';
import { z } from 'zod';

const MIB = 1_048_576;

const asNumber = (value: unknown) =>
  typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value;
const wholeNumber = (min: number, max: number) => z.preprocess(asNumber, z.int().min(min).max(max));
const flag = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean(),
);
const checksums = z.enum(['when_required', 'when_supported']).default('when_required');

/** `host`, `host:port` or a URL without credentials; without a scheme it is http, as in Glance. */
const Endpoint = z.string().transform((text, context): URL => {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  const isUsable =
    url !== null &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.hostname !== '' &&
    `${url.username}${url.password}${url.search}${url.hash}` === '';
  if (isUsable) return url;
  context.addIssue('must be a host, or an http(s) URL without credentials');
  return z.NEVER;
});

/** The region that Amazon's hosts have in their names. */
const AMAZON_HOST = /^s3(?:[.-](?:dualstack\.)?(?<region>[a-z0-9-]+))?\.amazonaws\.com(?:\.cn)?$/;
/** What servers that have no regions expect in a signature. */
const DEFAULT_REGION = 'us-east-1';
/** A bucket that can be part of a host's name. */
const DNS_BUCKET = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

const isAmazon = (endpoint: URL) => AMAZON_HOST.test(endpoint.hostname);

/** The options of a store of type `s3`: Glance's without the prefix `s3_store_`, and our own at the end. */
export const S3Options = z
  .strictObject({
    host: Endpoint,
    region_name: z.string().default(''),
    access_key: z.string().min(1),
    secret_key: z.string().min(1),
    bucket: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/, 'is not the name of a bucket'),
    create_bucket_on_put: flag.default(false),
    bucket_url_format: z.enum(['auto', 'virtual', 'path']).default('auto'),
    /** MiB. From this size on data is sent in parts; less is held in memory and sent at once. */
    large_object_size: wholeNumber(5, 1024).default(10),
    /** MiB of a part; images for which 10,000 of these are not enough get larger ones. */
    large_object_chunk_size: wholeNumber(5, 1024).default(10),
    /** Parts of an image that are sent at once. */
    thread_pools: wholeNumber(1, 100).default(10),
    /** PEM file with the authorities that the server is checked against. */
    cacert: z.string().refine(isAbsolute, 'must be an absolute path').optional(),
    enable_data_integrity_protection: flag.default(false),
    request_checksum_calculation: checksums,
    response_checksum_validation: checksums,
    /** Attempts of a request that fails for reasons that may pass. */
    max_attempts: wholeNumber(1, 20).default(4),
    connect_timeout_ms: wholeNumber(100, 600_000).default(5_000),
    /** A connection on which nothing moves for this long is given up. */
    idle_timeout_ms: wholeNumber(1_000, 3_600_000).default(60_000),
    /** Uploads in parts to which nothing was added for so long are removed, where their key is the id of an image. 0: never. */
    stale_upload_hours: wholeNumber(0, 8_760).default(24),
    /** Whether downloads are redirected to the store, by URLs that are valid for a while. */
    direct_download: flag.default(false),
    direct_download_seconds: wholeNumber(1, 604_800).default(300),
    /** Where clients reach the store, if not at `host`. */
    direct_download_host: Endpoint.optional(),
  })
  .transform((options, context) => {
    const { host, bucket } = options;
    if (options.bucket_url_format === 'virtual' && !DNS_BUCKET.test(bucket))
      context.addIssue({
        code: 'custom',
        path: ['bucket'],
        message: 'can not be part of a host name, as bucket_url_format virtual wants it',
      });
    const isProtected = options.enable_data_integrity_protection;
    const checksumOf = (choice: z.output<typeof checksums>) =>
      isProtected && choice === 'when_supported' ? ('WHEN_SUPPORTED' as const) : ('WHEN_REQUIRED' as const);
    return {
      endpoint: host,
      region: options.region_name || AMAZON_HOST.exec(host.hostname)?.groups?.['region'] || DEFAULT_REGION,
      accessKey: options.access_key,
      secretKey: options.secret_key,
      bucket,
      createsBucket: options.create_bucket_on_put,
      // Only Amazon's hosts are known to have a name for every bucket.
      bucketInPath:
        options.bucket_url_format === 'path' ||
        (options.bucket_url_format === 'auto' && !(isAmazon(host) && DNS_BUCKET.test(bucket))),
      largeObjectMib: options.large_object_size,
      largeObjectBytes: options.large_object_size * MIB,
      chunkMib: options.large_object_chunk_size,
      chunkBytes: options.large_object_chunk_size * MIB,
      threads: options.thread_pools,
      caFile: options.cacert,
      requestChecksums: checksumOf(options.request_checksum_calculation),
      responseChecksums: checksumOf(options.response_checksum_validation),
      maxAttempts: options.max_attempts,
      connectTimeoutMs: options.connect_timeout_ms,
      idleTimeoutMs: options.idle_timeout_ms,
      staleUploadMs: options.stale_upload_hours * 3_600_000,
      direct: options.direct_download
        ? { seconds: options.direct_download_seconds, endpoint: options.direct_download_host ?? host }
        : undefined,
    };
  });
export type S3Options = z.output<typeof S3Options>;

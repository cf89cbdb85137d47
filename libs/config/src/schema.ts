import { z } from 'zod';
import { audit } from './sections/audit.js';
import { cache } from './sections/cache.js';
import { byteSize, flag, isAmqpUrl, port, wholeNumber, words } from './option-types.js';
import { cors } from './sections/cors.js';
import { formats } from './sections/formats.js';
import { keystone } from './sections/keystone.js';
import { notifications } from './sections/notifications.js';
import { oidc } from './sections/oidc.js';
import { progress } from './sections/progress.js';
import { rateLimits } from './sections/rate-limits.js';
import { imports } from './sections/imports.js';
import { reconcile } from './sections/reconcile.js';
import { tasks } from './sections/tasks.js';
import { tlsFiles } from './sections/tls.js';
import { trustedProxies } from './sections/trusted-proxies.js';
import { policy } from './sections/policy.js';
import { snapshots } from './sections/snapshots.js';
import { verification } from './sections/verification.js';
import { webhooks } from './sections/webhooks.js';

const isSqlite = (url: string) => /^sqlite:./.test(url);
const isMysql = (url: string) =>
  url.startsWith('mysql://') && URL.canParse(url) && new URL(url).pathname.length > 1;
const databaseUrl = z
  .string()
  .refine(
    (url) => isSqlite(url) || isMysql(url),
    'must be sqlite:<path> or mysql://user:password@host:port/database',
  );
const busUrl = z
  .string()
  .refine(
    (url) => url.startsWith('memory:') || isAmqpUrl(url),
    'must be memory: or amqp://user:password@host:port/vhost',
  );

/** A configured store; the driver of its type checks the rest of its options. */
const StoreConfig = z.looseObject({
  type: z.string(),
  description: z.string().optional(),
  /** Stores with a higher weight are read first. */
  weight: wholeNumber(-1_000_000, 1_000_000).default(0),
});
export type StoreConfig = z.output<typeof StoreConfig>;

/**
 * Every option of Glimpse. An option `limits.propertyQuota` is `limits: {property_quota: …}` in the YAML file and
 * `GLIMPSE_LIMITS_PROPERTY_QUOTA` in the environment, which wins. docs/configuration.md and glimpse.sample.yaml
 * are generated from the descriptions here.
 */
export const ConfigSchema = z.strictObject({
  host: z.string().default('127.0.0.1').describe('Address on which the API listens.'),
  port: port().default(9292).describe('Port on which the API listens; 0 lets the system choose.'),
  publicEndpoint: z
    .url()
    .optional()
    .describe('Base URL in the versions document, where clients reach the API under another address.'),
  dataDir: z
    .string()
    .min(1)
    .default('.glimpse')
    .describe('Directory for everything that is kept locally: the SQLite file and the default store.'),
  databaseUrl: databaseUrl
    .optional()
    .describe('`mysql://user:password@host:port/database` or `sqlite:<path>`; default: SQLite in data_dir.'),
  busUrl: busUrl
    .default('memory:')
    .describe('`amqp://user:password@host:port/vhost`, or `memory:` for services in one process.'),
  auth: z
    .enum(['none', 'headers', 'keystone', 'oidc'])
    .default('none')
    .describe(
      'Who is calling: `none` makes everybody admin of one project, `headers` trusts the identity headers of a proxy that runs keystonemiddleware, `keystone` asks Keystone about tokens (keystone.*), `oidc` checks those of an OpenID Connect issuer (oidc.*).',
    ),
  allowAnonymousAccess: flag()
    .default(false)
    .describe(
      'Let requests without a valid token look, and change nothing; the policy says at what (by default at nothing).',
    ),
  authNone: z
    .strictObject({
      projectId: z.string().default('glimpse').describe('The project that everybody belongs to.'),
      userId: z.string().default('operator').describe('The user that everybody is.'),
      allowRemote: flag()
        .default(false)
        .describe('Listen on other addresses than loopback although nobody is asked who they are.'),
    })
    .prefault({}),
  shutdownGraceMs: wholeNumber(0)
    .default(30_000)
    .describe('How long a stopping service lets work in flight finish, in milliseconds.'),
  keystone,
  oidc,
  cors,
  rateLimits,
  http: z
    .strictObject({
      trustedProxies,
      bodyLimitBytes: wholeNumber(1024)
        .default(1_048_576)
        .describe('Largest JSON request body, in bytes. Image data is bounded by limits.image_size_cap.'),
      idleTimeoutMs: wholeNumber(1000)
        .default(60_000)
        .describe('A transfer without a byte for this long is ended, in milliseconds.'),
      maxRequestIdLength: wholeNumber(0)
        .default(64)
        .describe('Longest X-Openstack-Request-Id that is accepted; 0 for any.'),
      healthcheckDisableFile: z
        .string()
        .optional()
        .describe(
          'While this file exists /healthcheck answers 503, so that a load balancer drains the node.',
        ),
    })
    .prefault({}),
  registry: z
    .strictObject({
      host: z.string().default('127.0.0.1').describe("Address of the registry's health and metrics."),
      port: port().default(9293).describe("Port of the registry's health and metrics."),
    })
    .prefault({}),
  storeWorker: z
    .strictObject({
      host: z.string().default('127.0.0.1').describe("Address of the store-worker's health and metrics."),
      port: port().default(9294).describe("Port of the store-worker's health and metrics."),
      concurrency: wholeNumber(1, 64).default(4).describe('Jobs that one store-worker runs at once.'),
    })
    .prefault({}),
  database: z
    .strictObject({
      poolSize: wholeNumber(1, 1000).default(10).describe('MySQL connections of one registry.'),
      connectTimeoutMs: wholeNumber(100)
        .default(10_000)
        .describe('Wait for a MySQL connection, in milliseconds.'),
      tls: z
        .strictObject({
          mode: z
            .enum(['disabled', 'required', 'verify_ca', 'verify_identity'])
            .default('disabled')
            .describe(
              "TLS to MySQL: `required` encrypts only, `verify_ca` checks the server's certificate, `verify_identity` also that it is this server's.",
            ),
          ...tlsFiles('MySQL'),
        })
        .prefault({}),
    })
    .prefault({}),
  bus: z
    .strictObject({
      prefetch: wholeNumber(1, 65_535).default(64).describe('Envelopes that one service handles at once.'),
      envelopesInFlight: wholeNumber(1, 64)
        .default(2)
        .describe('Unanswered envelopes beyond which calls gather into one.'),
      maxCallsPerEnvelope: wholeNumber(1, 1024).default(64).describe('Calls in one envelope.'),
      maxEnvelopeBytes: wholeNumber(1024).default(262_144).describe('Size of one envelope, in bytes.'),
      maxPendingCalls: wholeNumber(1)
        .default(10_000)
        .describe('Calls that may wait for their answer; beyond it they are refused at once.'),
      eventAttempts: wholeNumber(1, 100)
        .default(5)
        .describe('Deliveries of an event before it goes to the dead letters.'),
      eventRetryDelayMs: wholeNumber(1)
        .default(1_000)
        .describe('Pause before an event is delivered again, doubling each time, in milliseconds.'),
      eventSource: z
        .string()
        .min(1)
        .refine((text) => URL.canParse(text, 'http://host/'), 'must be a URI or a relative one')
        .default('/glimpse')
        .describe(
          'Who publishes events: their CloudEvents attribute `source`. Give each cloud its own where one consumer listens to several.',
        ),
      declare: flag()
        .default(true)
        .describe(
          'Make the exchanges and queues that are missing; without it `glimpse-manage bus declare` makes them, and users of the services need no right to.',
        ),
      trustedUsers: words()
        .default([])
        .describe(
          "Users of RabbitMQ, beside a service's own, whose messages it takes; those of others are refused.",
        ),
      tls: z
        .strictObject({
          ...tlsFiles('RabbitMQ'),
          serverName: z
            .string()
            .optional()
            .describe("Name that RabbitMQ's certificate must have, where it is not the one in bus_url."),
        })
        .prefault({}),
    })
    .prefault({}),
  images: z
    .strictObject({
      diskFormats: words()
        .default(['ami', 'ari', 'aki', 'vhd', 'vhdx', 'vmdk', 'raw', 'qcow2', 'vdi', 'iso', 'ploop'])
        .describe('Accepted values of disk_format.'),
      containerFormats: words()
        .default(['ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed'])
        .describe('Accepted values of container_format.'),
      schemaFile: z
        .string()
        .optional()
        .describe(
          "Glance's schema-image.json: the custom properties that /v2/schemas/image names, and those that a new image must have.",
        ),
      hashingAlgorithm: z
        .enum(['sha512', 'sha384', 'sha256', 'sha1', 'md5', 'sha3-256', 'sha3-512', 'blake2b512'])
        .default('sha512')
        .describe('Algorithm of os_hash_value.'),
      md5Checksum: flag()
        .default(true)
        .describe('Compute the MD5 `checksum` too, as Glance does; without it `checksum` is null.'),
      delayedDelete: flag()
        .default(false)
        .describe('Keep the data of a deleted image for scrub_time_ms, in which an operator can restore it.'),
      scrubTimeMs: wholeNumber(0)
        .default(0)
        .describe('With delayed_delete: how long the data of a deleted image is kept, in milliseconds.'),
      propertyProtectionFile: z
        .string()
        .min(1)
        .optional()
        .describe("Glance's property-protections.conf: who may do what with which properties."),
      propertyProtectionRuleFormat: z
        .enum(['roles', 'policies'])
        .default('roles')
        .describe('What property_protection_file names: roles, or rules of the policy file.'),
      showImageDirectUrl: flag()
        .default(false)
        .describe('Show where the data of an image is, as `direct_url`: see docs/stores.md before.'),
      showMultipleLocations: flag()
        .default(false)
        .describe(
          'Show the locations of an image and let its owner change them by PATCH: see docs/stores.md before.',
        ),
      doSecureHash: flag()
        .default(true)
        .describe('Read the data of a location that was registered, to hash it and to verify it.'),
      httpRetries: wholeNumber(0)
        .default(3)
        .describe('Attempts to read such data after the first one failed.'),
    })
    .prefault({}),
  formats,
  limits: z
    .strictObject({
      imageSizeCap: wholeNumber(1).default(1_099_511_627_776).describe('Largest image, in bytes.'),
      propertyQuota: wholeNumber(-1)
        .default(128)
        .describe('Properties of an image; negative for any number.'),
      tagQuota: wholeNumber(-1).default(128).describe('Tags of an image; negative for any number.'),
      memberQuota: wholeNumber(-1).default(128).describe('Members of an image; negative for any number.'),
      locationQuota: wholeNumber(-1).default(10).describe('Locations of an image; negative for any number.'),
      projectImageCount: wholeNumber(-1)
        .default(-1)
        .describe('Images of a project; negative for any number.'),
      projectUploadCount: wholeNumber(-1)
        .default(-1)
        .describe('Images of a project that receive data at the same time; negative for any number.'),
      projectStorage: byteSize()
        .default(0)
        .describe(
          "Bytes that a project's images may take in the stores, each location counted; may have a unit (10GB); 0 for any number.",
        ),
      projectStaging: byteSize()
        .default(0)
        .describe(
          'Bytes that a project may have staged for imports; may have a unit (10GB); 0 for any number.',
        ),
      pageDefault: wholeNumber(1).default(25).describe('Images on a page where the client names no limit.'),
      pageMax: wholeNumber(1).default(1000).describe('Images on a page at most.'),
      countMax: wholeNumber(1)
        .default(10_000)
        .describe('Images that a list with `count=true` counts at most; of more it says that they are more.'),
    })
    .prefault({}),
  stores: z
    .record(z.string().regex(/^(?!os_glance_)[A-Za-z0-9_-]{1,64}$/), StoreConfig)
    .optional()
    .describe(
      'The stores by id. Naming them turns the multi-store API on; default: one store `file` in data_dir.',
    ),
  staging: z
    .record(z.string(), z.unknown())
    .pipe(StoreConfig)
    .optional()
    .describe(
      'The store in which data waits to be imported, reached by every gateway and store-worker; configured like those of stores. Default: a directory in data_dir.',
    ),
  defaultStore: z.string().optional().describe('The store that data goes to where the client names none.'),
  cache,
  leases: z
    .strictObject({
      instanceLeaseMs: wholeNumber(500)
        .default(20_000)
        .describe('A process that is silent for this long counts as dead, in milliseconds.'),
      reaperIntervalMs: wholeNumber(100)
        .default(5_000)
        .describe('How often the registry looks for leases that ran out, in milliseconds.'),
    })
    .prefault({}),
  jobs: z
    .strictObject({
      leaseMs: wholeNumber(500)
        .default(20_000)
        .describe("A job whose worker is silent for this long is another worker's, in milliseconds."),
      pollMs: wholeNumber(50)
        .default(3_000)
        .describe('How often workers look for jobs that no event announced, in milliseconds.'),
      maxAttempts: wholeNumber(1).default(10).describe('Attempts of a job before it has failed.'),
      retryBaseMs: wholeNumber(1)
        .default(1_000)
        .describe('Pause before the second attempt, in milliseconds.'),
      retryMaxMs: wholeNumber(1).default(60_000).describe('Longest pause between attempts, in milliseconds.'),
    })
    .prefault({}),
  tasks,
  progress,
  reconcile,
  import: imports,
  snapshots,
  verification,
  webhooks,
  outbox: z
    .strictObject({
      pollMs: wholeNumber(10).default(500).describe('How often the outbox is read, in milliseconds.'),
      batchSize: wholeNumber(1, 10_000).default(200).describe('Events published in one go.'),
      retentionMs: wholeNumber(0)
        .default(3_600_000)
        .describe('How long events that were published are kept, in milliseconds.'),
    })
    .prefault({}),
  notifications,
  policy,
  audit,
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
        .default('info')
        .describe('Least severe lines that are written.'),
    })
    .prefault({}),
});

type DeepReadonly<T> = T extends (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** The whole configuration, checked and frozen. Paths are absolute, `databaseUrl` and `defaultStore` are set. */
export type Config = DeepReadonly<
  Omit<z.output<typeof ConfigSchema>, 'databaseUrl' | 'stores' | 'defaultStore' | 'staging'> & {
    databaseUrl: string;
    stores: Record<string, StoreConfig>;
    defaultStore: string;
    /** Where data waits to be imported. */
    staging: StoreConfig;
    /** Whether the operator named the stores: then the multi-store API exists and locations name their store. */
    isMultiStore: boolean;
  }
>;

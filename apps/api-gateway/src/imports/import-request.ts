import {
  type ExpectedDigest,
  ImportMethod,
  type ImportRequest,
  ServiceError,
  digestLengths,
  isStorableText,
  withoutCredentials,
} from '@glimpse/contracts';
import { z } from 'zod';

const text = () => z.string().refine(isStorableText, 'has characters that cannot be stored');

const digestAlgorithms = Object.keys(digestLengths) as (keyof typeof digestLengths)[];

const ExpectedDigestBody = z
  .strictObject({
    algorithm: z.enum(digestAlgorithms),
    value: z
      .string()
      .regex(/^[0-9a-f]+$/i, 'must be hexadecimal')
      .toLowerCase(),
  })
  .refine(({ algorithm, value }) => value.length === digestLengths[algorithm], {
    error: 'has not the length of its algorithm',
  });

/** What `POST …/import` takes. */
export const ImportBody = z.looseObject({
  method: z.looseObject({
    name: z.string().meta({ description: 'One of the methods that `/v2/info/import` lists.' }),
    uri: text().optional().meta({ description: 'With web-download: where the data is.' }),
    glance_region: text().optional().meta({ description: 'With glance-download: the other region.' }),
    glance_image_id: text().optional().meta({ description: 'With glance-download: the image there.' }),
    glance_service_interface: z
      .enum(['public', 'internal', 'admin'])
      .optional()
      .meta({ description: 'With glance-download: `public` (the default), `internal` or `admin`.' }),
    expected_digest: ExpectedDigestBody.optional().meta({
      description: 'With web-download: what the downloaded data must hash to, else the import fails.',
    }),
  }),
  stores: z.array(text()).optional().meta({ description: 'The stores to import into.' }),
  all_stores: z.boolean().optional().meta({ description: 'Import into every store.' }),
  all_stores_must_succeed: z
    .boolean()
    .optional()
    .meta({ description: 'Whether one store that fails makes the whole import fail; true by default.' }),
});

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

/** What to import, and where to. `methods` are those that are offered. Throws REQUEST_INVALID. */
export function parseImportRequest(
  body: unknown,
  header: string | string[] | undefined,
  methods: readonly string[],
): ImportRequest {
  const parsed = ImportBody.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`${issue?.path.join('.') || 'The body'}: ${issue?.message}`);
  }
  const { method, stores, all_stores: allStores, all_stores_must_succeed: mustSucceed } = parsed.data;
  if (!methods.includes(method.name)) throw invalid(`Unknown import method name '${method.name}'.`);
  if (method.name === 'web-download' && (method.uri ?? '') === '')
    throw invalid(
      'URI is required for the web-download import method; an empty one does not pass filtering.',
    );
  return {
    method: ImportMethod.parse({ ...method, ...digestOf(method), ...remoteOf(method) }),
    stores: stores ?? null,
    headerStore: header === undefined ? null : String(header),
    allStores: allStores ?? false,
    allStoresMustSucceed: mustSucceed ?? true,
    body: { ...parsed.data, method: withoutSecrets(method) },
  };
}

/** Heeded where the data comes from a server that could say anything. */
function digestOf({ name, expected_digest: expectedDigest }: z.output<typeof ImportBody>['method']): {
  expectedDigest?: ExpectedDigest;
} {
  if (expectedDigest === undefined) return {};
  if (name !== 'web-download') throw invalid(`The method '${name}' takes no expected_digest.`);
  return { expectedDigest };
}

/** What is wrong with these is said after what is wrong with the image. */
const remoteOf = (method: z.output<typeof ImportBody>['method']) => ({
  region: method.glance_region ?? null,
  imageId: method.glance_image_id ?? null,
  serviceInterface: method.glance_service_interface ?? 'public',
  remote: null,
});

/** The task shows what was asked for to others who may see it: not with what password. */
function withoutSecrets(method: z.output<typeof ImportBody>['method']) {
  return method.uri === undefined ? method : { ...method, uri: withoutCredentials(method.uri) };
}

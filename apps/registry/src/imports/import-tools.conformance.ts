import { randomUUID } from 'node:crypto';
import {
  type Caller,
  type ClaimedJob,
  type Image,
  type ImportRequest,
  type JobPayload,
  type JobResult,
  type NewImage,
  STAGING_STORE,
  ServiceError,
  jobPayloadOf,
} from '@glimpse/contracts';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  anAdmin,
  storedAt,
} from '../registry-harness.conformance.js';

type Result = JobResult<'import'>;

export const outage = { code: 'STORE_UNAVAILABLE', message: 'no answer' };
export const direct = { name: 'glance-direct' } as const;
export const copy = { name: 'copy-image' } as const;
export const download = (uri = 'http://example.org/disk') => ({ name: 'web-download', uri }) as const;

export const aRequest = (
  method: ImportRequest['method'],
  more: Partial<ImportRequest> = {},
): ImportRequest => ({
  method,
  stores: null,
  headerStore: null,
  allStores: false,
  allStoresMustSucceed: true,
  body: { method },
  ...more,
});

export const data = {
  size: 1_000,
  virtualSize: 2_000,
  checksum: 'c'.repeat(32),
  osHashAlgo: 'sha512',
  osHashValue: 'a'.repeat(128),
};

export type ImportTools = ReturnType<typeof importTools>;

/** What the tests of imports do to the registry. */
export function importTools(registry: () => RegistryUnderTest) {
  const create = (more: NewImage = {}, ctx: Caller = aCaller()) =>
    registry().images.create(ctx, aNewImage(more));
  const show = (id: string) => registry().images.get(anAdmin(), id);
  const begin = (id: string, request: ImportRequest, ctx: Caller = aCaller()) =>
    registry().imports.begin(ctx, id, request);
  const codeOf = (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'done',
      (error: unknown) => (error instanceof ServiceError ? error.code : String(error)),
    );
  const taskOf = async (id: string) => (await registry().tasks.listOfImage(anAdmin(), id))[0];
  const marksOf = ({ properties }: Image) => [
    properties['os_glance_importing_to_stores'],
    properties['os_glance_failed_import'],
    properties['os_glance_import_task'],
  ];
  const removals = async (id: string): Promise<JobPayload<'delete-data'>[]> =>
    (await registry().rows('jobs', `image_id = '${id}' AND kind = 'delete-data'`)).map(({ payload }) =>
      jobPayloadOf('delete-data', JSON.parse(payload)),
    );
  const locationOf = (storeId: string, id: string) => ({
    storeId,
    location: { url: `file:///nonexistent/${storeId}/${id}`, metadata: { store: storeId } },
  });
  const result = (id: string, ...storeIds: string[]): Result => ({
    data,
    stored: storeIds.map((storeId) => locationOf(storeId, id)),
    failed: [],
  });
  const failure = (...storeIds: string[]): Result => ({
    data: null,
    stored: [],
    failed: storeIds.map((storeId) => ({ storeId, reason: 'disk on fire' })),
  });

  const claim = async (id: string, kind: 'import' | 'delete-data' = 'import'): Promise<ClaimedJob> => {
    const jobs = await registry().jobs.claim({ instanceId: 'worker', kinds: [kind], limit: 64 });
    const job = jobs.find(({ imageId }) => imageId === id);
    if (job === undefined) throw new Error(`There is no job on ${id}`);
    return job;
  };
  const complete = ({ id: jobId, leaseToken }: ClaimedJob, outcome: unknown = null) =>
    registry().jobs.complete({ jobId, leaseToken, result: outcome });

  const beginStaging = async (id: string, size: number | null = data.size) => {
    const upload = { ctx: aCaller(), id, uploadId: randomUUID() };
    await registry().staging.begin({ ...upload, instanceId: 'gateway', size });
    return upload;
  };
  const stagedAt = (id: string) => ({
    location: { url: `file:///nonexistent/staging/${id}`, metadata: { store: STAGING_STORE } },
    size: data.size,
  });
  /** An image whose data is staged; its id. */
  async function staged(more: NewImage = {}): Promise<string> {
    const { id } = await create(more);
    const upload = await beginStaging(id);
    await registry().staging.commit({ ...upload, staged: stagedAt(id) });
    return id;
  }
  async function active(): Promise<string> {
    const { id } = await create();
    const upload = { ctx: aCaller(), id, uploadId: randomUUID() };
    await registry().data.beginUpload({ ...upload, instanceId: 'gateway', storeId: 'slow', size: data.size });
    const { location } = locationOf('slow', id);
    await registry().data.commitUpload({
      ...upload,
      stored: { ...storedAt(location.url), location, size: data.size },
    });
    return id;
  }

  return {
    registry,
    create,
    show,
    begin,
    codeOf,
    taskOf,
    marksOf,
    removals,
    result,
    failure,
    claim,
    complete,
    beginStaging,
    stagedAt,
    staged,
    active,
  };
}

import { randomUUID } from 'node:crypto';
import {
  type JobPayload,
  type JobResult,
  jobPayloadOf,
  type StoredData,
  type VerifyResult,
} from '@glimpse/contracts';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  anAdmin,
  storedAt,
} from '../registry-harness.conformance.js';

export const damaged: VerifyResult = { state: 'damaged', reason: 'The data is another one', found: null };
export const intact: VerifyResult = { state: 'intact', reason: null, found: null };
export const missing: VerifyResult = { state: 'missing', reason: 'It is not there', found: null };

export type VerificationTools = ReturnType<typeof verificationTools>;

/** What the tests of verification do to the registry. */
export function verificationTools(registry: () => RegistryUnderTest) {
  const urlIn = (store: string) => `file:///nonexistent/${store}/${randomUUID()}`;
  const addRow = (imageId: string, value: string, store: string) => {
    const now = registry().clock.databaseNow();
    return registry().insert('image_locations', {
      image_id: imageId,
      value,
      meta_data: JSON.stringify({ store }),
      status: 'active',
      created_at: now,
      updated_at: now,
      deleted: 0,
    });
  };
  /** An active image with a copy in each of the stores. */
  async function stored(stores: string[], more: Partial<StoredData> = {}): Promise<string> {
    const { id } = await registry().images.create(aCaller(), aNewImage());
    const uploadId = randomUUID();
    const [first = 'slow', ...others] = stores;
    await registry().data.beginUpload({
      ctx: aCaller(),
      id,
      instanceId: 'gateway',
      uploadId,
      storeId: first,
      size: null,
    });
    const data = storedAt(urlIn(first), more);
    await registry().data.commitUpload({
      ctx: aCaller(),
      id,
      uploadId,
      stored: { ...data, location: { ...data.location, metadata: { store: first } } },
    });
    for (const store of others) await addRow(id, urlIn(store), store);
    return id;
  }
  const copiesOf = (id: string) => registry().verification.get(aCaller(), id);
  const copyIn = async (id: string, store: string) =>
    (await copiesOf(id)).find(({ storeId }) => storeId === store);
  const show = (id: string) => registry().images.get(aCaller(), id);
  const eventsOf = async (id: string) =>
    (await registry().rows('outbox', `subject = '${id}'`)).map(({ name }) => name);
  const jobsOf = (id: string, kind: string) =>
    registry().rows('jobs', `image_id = '${id}' AND kind = '${kind}'`);
  const removedUrlsOf = async (id: string) =>
    (await jobsOf(id, 'delete-data')).flatMap(({ payload }) =>
      jobPayloadOf('delete-data', JSON.parse(payload)).locations.map((location) => location.url),
    );

  async function claim<K extends 'verify' | 'repair'>(kind: K, from = registry()) {
    const jobs = await from.jobs.claim({ instanceId: 'worker', kinds: [kind], limit: 64 });
    return jobs.map(({ id: jobId, leaseToken, payload }) => ({
      jobId,
      leaseToken,
      payload: jobPayloadOf(kind, payload) as JobPayload<K>,
    }));
  }
  /** Lets a worker look at all copies of the image, one after the other. */
  async function verify(id: string, find: (store: string) => VerifyResult): Promise<void> {
    await registry().verification.request(anAdmin(), id);
    for (;;) {
      await registry().verificationQueue.look();
      const jobs = await claim('verify');
      if (jobs.length === 0) return;
      for (const { payload, ...job } of jobs)
        await registry().jobs.complete({ ...job, result: find(String(payload.location.metadata['store'])) });
    }
  }
  async function repair(id: string, result: JobResult<'repair'>): Promise<JobPayload<'repair'>> {
    const job = (await claim('repair')).find(({ payload }) => payload.imageId === id);
    if (job === undefined) throw new Error(`There is no repair of ${id}`);
    const { payload, ...held } = job;
    await registry().jobs.complete({ ...held, result });
    return payload;
  }
  /** Lets all attempts at the job fail, because its store does not answer. */
  async function giveUp(kind: 'verify' | 'repair'): Promise<void> {
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const [job] = await claim(kind);
      await registry().jobs.fail({
        jobId: job!.jobId,
        leaseToken: job!.leaseToken,
        error: { code: 'STORE_UNAVAILABLE', message: 'no answer' },
        isRetryable: true,
      });
      registry().clock.pass(60_000);
    }
  }
  const damagedIn = (store: string) => (where: string) => (where === store ? damaged : intact);

  return {
    registry,
    urlIn,
    stored,
    copiesOf,
    copyIn,
    show,
    eventsOf,
    jobsOf,
    removedUrlsOf,
    claim,
    verify,
    repair,
    giveUp,
    damagedIn,
  };
}

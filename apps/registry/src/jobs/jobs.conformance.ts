import { randomUUID } from 'node:crypto';
import { beforeEach, expect, it } from '@jest/globals';
import { type RegistryUnderTest, startRegistryOn } from '../registry-harness.conformance.js';

export function describeJobs(registry: () => RegistryUnderTest, url: () => string): void {
  const enqueue = async (count = 1, project = '', dueIn = 0) => {
    const ids: string[] = Array.from({ length: count }, () => randomUUID());
    const now = registry().clock.now();
    await registry().insert(
      'jobs',
      ...ids.map((id) => ({
        id,
        kind: 'delete-data',
        status: 'queued',
        image_id: 'i',
        project_id: project,
        payload: '{"imageId":"i","locations":[]}',
        attempt: 0,
        due_at: now + dueIn,
        created_at: now,
        updated_at: now,
      })),
    );
    return ids;
  };
  const claim = (instanceId = 'worker-1', limit = 10, from = registry()) =>
    from.jobs.claim({ instanceId, kinds: ['delete-data'], limit });
  const claimOne = async () => {
    await enqueue();
    const [job] = await claim();
    return { jobId: job!.id, leaseToken: job!.leaseToken, attempt: job!.attempt };
  };
  const row = async (id: string) => (await registry().rows('jobs', `id = '${id}'`))[0];
  beforeEach(() => registry().database.unitOfWork.run((tx) => tx.execute('DELETE FROM jobs')));

  it('go to one worker each when two registries are asked at once', async () => {
    const other = await startRegistryOn(url(), {}, registry().clock);
    const ids = await enqueue(24);

    const claims = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        claim(`worker-${index}`, 3, index % 2 === 0 ? registry() : other),
      ),
    );
    const rest = await claim('worker-rest', 64);

    const claimed = [...claims.flat(), ...rest].map(({ id }) => id);
    expect(claimed.toSorted()).toEqual(ids.toSorted());
    await other.close();
  });

  it('of one project do not hold up those of others', async () => {
    const many = await enqueue(1_000, 'p-many');
    const few = await enqueue(2, 'p-few');
    const [one] = await enqueue(1, 'p-one');
    const [nobodys] = await enqueue(1);

    const first = (await claim('worker-1', 6)).map(({ id }) => id);
    const next = [];
    for (let index = 0; index < 3; index += 1) next.push(...(await claim('worker-1', 1)));

    expect(first).toEqual(expect.arrayContaining([one, nobodys, ...few]));
    expect(first.filter((id) => many.includes(id))).toHaveLength(2);
    expect(next.every(({ id }) => many.includes(id))).toBe(true);
  });

  it('are started as long as there are due ones, the longest due of a project first', async () => {
    const [late] = await enqueue(1, 'p1', -1_000);
    const [later] = await enqueue(1, 'p1', 1_000);
    const [latest] = await enqueue(1, 'p1', -5_000);
    const [other] = await enqueue(1, 'p2', 60_000);

    expect((await claim('worker-1', 1)).map(({ id }) => id)).toEqual([latest]);
    expect((await claim('worker-1')).map(({ id }) => id)).toEqual([late]);
    registry().clock.pass(60_000);
    const rest = (await claim('worker-1')).map(({ id }) => id);
    expect(rest).toEqual(expect.arrayContaining([later, other]));
  });

  it('of a kind that a worker does not know are left to others', async () => {
    await enqueue(3, 'p1');

    expect(await registry().jobs.claim({ instanceId: 'w', kinds: ['import'], limit: 5 })).toEqual([]);
  });

  it('of a worker that is silent go to another one, and the first can change nothing', async () => {
    const first = await claimOne();
    registry().clock.pass(15_000);
    expect(await registry().jobs.heartbeat({ ...first, progress: null })).toEqual({ outcome: 'ok' });
    registry().clock.pass(15_000);
    expect(await claim('worker-2')).toEqual([]);
    registry().clock.pass(15_000);

    const [second] = await claim('worker-2');

    expect(second).toMatchObject({ id: first.jobId, attempt: 2 });
    const error = { code: 'STORE_UNAVAILABLE', message: 'x' };
    const attempts = [
      registry().jobs.heartbeat({ ...first, progress: null }),
      registry().jobs.complete(first),
      registry().jobs.fail({ ...first, error, isRetryable: true }),
      registry().jobs.release(first),
    ];
    for (const attempt of attempts) expect(await attempt).toEqual({ outcome: 'lost' });
    expect(await row(first.jobId)).toMatchObject({ status: 'running', lease_owner: 'worker-2' });
  });

  it('can be completed again', async () => {
    const job = await claimOne();

    expect(await registry().jobs.complete(job)).toEqual({ outcome: 'ok' });
    expect(await registry().jobs.complete(job)).toEqual({ outcome: 'ok' });
    expect(await row(job.jobId)).toMatchObject({ status: 'done' });
  });

  it('that remove data are never given up, with pauses that grow up to a bound', async () => {
    const [id] = await enqueue();
    const pauses: number[] = [];

    for (let attempt = 1; attempt <= 15; attempt += 1) {
      const [job] = await claim();
      expect(job).toMatchObject({ id, attempt });
      await registry().jobs.fail({
        jobId: job!.id,
        leaseToken: job!.leaseToken,
        error: { code: 'INTERNAL', message: 'no' },
        isRetryable: false,
      });
      const pause = (await row(id!))!.due_at - registry().clock.now();
      pauses.push(pause);
      expect(await claim()).toEqual([]);
      registry().clock.pass(pause);
    }

    expect(Math.max(...pauses)).toBeLessThanOrEqual(60_000);
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(30_000);
    expect(await row(id!)).toMatchObject({
      status: 'queued',
      last_error: '{"code":"INTERNAL","message":"no"}',
    });
  });

  it('that are given back are due at once, and the attempt does not count', async () => {
    const job = await claimOne();

    await registry().jobs.release(job);

    expect(await claim('worker-2')).toMatchObject([{ id: job.jobId, attempt: 1 }]);
    await registry().instances.release({ instanceId: 'worker-2' });
    expect(await claim('worker-3')).toMatchObject([{ id: job.jobId, attempt: 1 }]);
  });

  it('keep the last progress that was reported', async () => {
    const job = await claimOne();
    const progress = { phase: 'removing', bytesDone: 1, bytesTotal: null };

    await registry().jobs.heartbeat({ ...job, progress });
    await registry().jobs.heartbeat({ ...job, progress: null });

    expect(await row(job.jobId)).toMatchObject({ progress: JSON.stringify(progress) });
  });
}

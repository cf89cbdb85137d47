import { randomUUID } from 'node:crypto';
import { type Caller, type JobKind, Transfer } from '@glimpse/contracts';
import { waitFor } from '@glimpse/testing';
import { expect, it } from '@jest/globals';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  anAdmin,
  storedAt,
} from '../registry-harness.conformance.js';

const MINUTE_MS = 60_000;
const owner = aCaller('p1');
const stranger = aCaller('p2');
const half = { phase: 'receiving', bytesDone: 50, bytesTotal: 100, bytesPerSecond: 10 };

export function describeTransfers(registry: () => RegistryUnderTest): void {
  const create = async (more = {}) => (await registry().images.create(owner, aNewImage(more))).id;
  const beginUpload = async (id: string) => {
    const upload = { ctx: owner, id, instanceId: 'gateway-1', uploadId: randomUUID() };
    await registry().data.beginUpload({ ...upload, storeId: 'file', size: 100 });
    return upload;
  };
  const report = (uploadId: string, instanceId = 'gateway-1') =>
    registry().transfers.report({ instanceId, uploads: [{ uploadId, progress: half }] });
  const list = (ctx: Caller, imageId?: string, endedForMs = MINUTE_MS) =>
    registry().transfers.list(ctx, {
      ...(imageId === undefined ? {} : { imageId }),
      endedSince: registry().clock.now() - endedForMs,
    });
  const only = async (id: string, ctx = owner) => (await list(ctx, id)).transfers[0];
  /** What is announced follows its commit, and nobody waits for it. */
  const announced = (id: string, phase: string) =>
    waitFor(`${phase} to be announced`, () =>
      registry()
        .live.announced.filter(({ name, subject }) => name === 'transfer.progressed' && subject === id)
        .map(({ payload }) => Transfer.parse(payload))
        .find((transfer) => transfer.phase === phase),
    );
  const beginImport = async (id: string) => {
    const method = { name: 'web-download', uri: 'http://example.org/disk' } as const;
    const request = { method, stores: null, headerStore: null, allStores: false, allStoresMustSucceed: true };
    await registry().imports.begin(owner, id, { ...request, body: { method } });
  };
  const claim = async (kind: JobKind = 'import') => {
    const [job] = await registry().jobs.claim({ instanceId: 'worker-1', kinds: [kind], limit: 1 });
    return { jobId: job!.id, leaseToken: job!.leaseToken };
  };
  const taskOf = async (id: string) => (await registry().tasks.listOfImage(anAdmin(), id))[0]!;

  it('show an upload from its beginning to its end', async () => {
    const id = await create();

    const upload = await beginUpload(id);
    const begun = {
      id: upload.uploadId,
      kind: 'upload',
      imageId: id,
      owner: 'p1',
      attempt: 1,
      lastError: null,
    };
    expect(await announced(upload.uploadId, 'receiving')).toMatchObject({ ...begun, bytesTotal: 100 });

    await report(upload.uploadId);
    expect(await only(id)).toMatchObject({ ...begun, ...half });

    await registry().data.commitUpload({ ...upload, stored: storedAt(`file:///${id}`, { size: 100 }) });
    expect(await only(id)).toMatchObject({ ...begun, phase: 'done', bytesDone: 100, bytesTotal: 100 });
    await announced(upload.uploadId, 'done');
  });

  it('note nothing of an upload that another gateway has, or that is over', async () => {
    const id = await create();
    const upload = await beginUpload(id);

    await report(upload.uploadId, 'gateway-2');
    await report(randomUUID());
    expect(await only(id)).toMatchObject({ bytesDone: 0 });
    await registry().data.abortUpload({ ...upload, reason: 'The client went away' });
    await report(upload.uploadId);

    expect(await only(id)).toMatchObject({ phase: 'failed', lastError: 'The client went away' });
  });

  it('are the business of those who may see the image, but why they fail only of its owner', async () => {
    const id = await create({ visibility: 'shared' });
    await registry().members.add(owner, id, 'p2');
    const upload = await beginUpload(id);
    await registry().data.abortUpload({ ...upload, reason: 'The disk is full' });

    expect(await list(owner, id)).toMatchObject({ tellsErrors: true, image: { id, status: 'queued' } });
    expect(await only(id, anAdmin())).toMatchObject({ lastError: 'The disk is full' });
    expect(await list(stranger, id)).toMatchObject({ tellsErrors: false });
    expect(await only(id, stranger)).toMatchObject({ phase: 'failed', lastError: null });
    await expect(list(aCaller('p3'), id)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    await expect(list(owner, randomUUID())).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
  });

  it('of all images are shown to admins, and to others those of the images of their project', async () => {
    const id = await create();
    await beginUpload(id);
    const has = async (ctx: Caller) => (await list(ctx)).transfers.some(({ imageId }) => imageId === id);

    expect(await has(owner)).toBe(true);
    expect(await has(anAdmin())).toBe(true);
    expect(await has(stranger)).toBe(false);
    expect(await has(aCaller(null))).toBe(false);
    expect((await list(owner)).audience).toEqual({ kind: 'project', projectId: 'p1' });
    expect((await list(anAdmin())).audience).toEqual({ kind: 'everybody' });
    await expect(list(aCaller('p1', 'nothing'))).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
  });

  it('that ended are shown for as long as was asked for', async () => {
    const id = await create();
    const upload = await beginUpload(id);
    await registry().data.commitUpload({ ...upload, stored: storedAt(`file:///${id}`) });
    registry().clock.pass(2 * MINUTE_MS);

    expect((await list(owner, id)).transfers).toEqual([]);
    expect((await list(owner, id, 3 * MINUTE_MS)).transfers).toHaveLength(1);
  });

  it('show a job at once, in its task too, with its failures and its next attempt', async () => {
    const id = await create();
    await beginImport(id);
    expect(await only(id)).toMatchObject({ kind: 'import', phase: 'waiting', attempt: 0 });
    const job = await claim();
    const progress = { ...half, phase: 'downloading', bytesDone: 52_428_800, bytesTotal: 104_857_600 };

    await registry().jobs.heartbeat({ ...job, progress: { ...progress, bytesPerSecond: 10_485_760 } });

    expect(await announced(job.jobId, 'downloading')).toMatchObject({ bytesDone: 52_428_800, attempt: 1 });
    const task = await taskOf(id);
    expect(task.message).toBe('Downloading: 50.0 of 100.0 MiB (50 %), 10.0 MiB/s, 5 s left');
    expect(task.progress).toMatchObject({ id: job.jobId, taskId: task.id, phase: 'downloading' });
    expect(await registry().tasks.get(anAdmin(), task.id)).toEqual(task);

    const error = { code: 'STORE_UNAVAILABLE', message: 'The store does not answer' };
    await registry().jobs.fail({ ...job, error, isRetryable: true });
    expect(await only(id)).toMatchObject({ phase: 'waiting', bytesDone: 0, lastError: error.message });
    expect((await taskOf(id)).message).toBe('Waiting for attempt 2, after: The store does not answer');
  });

  it('show that an import failed although its job is done', async () => {
    const id = await create();
    await beginImport(id);
    const job = await claim();
    const failed = [{ storeId: 'file', reason: 'The disk is full' }];

    await registry().jobs.complete({ ...job, result: { data: null, stored: [], failed } });

    expect(await only(id)).toMatchObject({ phase: 'failed', lastError: 'file: The disk is full' });
    expect((await taskOf(id)).progress).toBeNull();
    await announced(job.jobId, 'failed');
  });
}

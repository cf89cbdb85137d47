import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type MakePlace, databaseUnderTest } from './database-under-test.conformance.js';
import { chooseFromQuarantine, listQuarantine, sweepQuarantine } from './quarantine.js';
import { beginRuns, lastRuns, listFindings, waitForRuns } from './reconcile-runs.js';

const DAY_MS = 86_400_000;
const request = {
  storeId: 'fast',
  scope: 'store',
  repair: true,
  discard: true,
  graceMs: 1,
  keepMs: 2,
  soleOwner: false,
} as const;

/** What the operator's command asks of the store-workers, and shows of what they did. */
export function describeReconcileCommands(name: string, makePlace: MakePlace): void {
  describe(`reconciling with ${name}`, () => {
    const database = databaseUnderTest(makePlace);

    const end = (id: string, status: string, report: object | null, error: object | null = null) =>
      database().unitOfWork.run((tx) =>
        tx.execute('UPDATE reconcile_runs SET status = ?, report = ?, error = ?, ended_at = 5 WHERE id = ?', [
          status,
          report === null ? null : JSON.stringify(report),
          error === null ? null : JSON.stringify(error),
          id,
        ]),
      );
    const addAside = async (quarantinedAt: number) => {
      const id = randomUUID();
      await database().unitOfWork.run((tx) =>
        tx.insert('quarantined_objects', [
          {
            id,
            store_id: 'fast',
            url: 's3://key:secret@host/bucket/x',
            name: 'x',
            size: 3,
            state: 'held',
            orphan_since: 0,
            quarantined_at: quarantinedAt,
            seen_at: 0,
          },
        ]),
      );
      return id;
    };

    it('queues a job for each store, and waits for all of them', async () => {
      const [one, other] = await beginRuns(database(), [request, { ...request, storeId: 'slow' }], 1_000);
      const jobs = await database().query<{ kind: string; payload: string }>(
        'SELECT kind, payload FROM jobs',
      );
      expect(jobs.map(({ kind }) => kind)).toEqual(['reconcile', 'reconcile']);
      expect(jobs.map(({ payload }) => JSON.parse(payload) as object)).toContainEqual({
        ...request,
        imageId: null,
        runId: one,
      });
      await expect(waitForRuns(database(), [one!, other!], 0)).rejects.toThrow(
        'no store-worker is done with fast, slow yet',
      );
      await end(one!, 'done', { putBack: 1 });

      const waiting = waitForRuns(database(), [one!, other!], 60_000);
      await end(other!, 'failed', null, { code: 'STORE_UNKNOWN', message: 'which store?' });

      expect(await waiting).toMatchObject([
        { storeId: 'fast', status: 'done', repair: true, report: { putBack: 1 }, error: null },
        { storeId: 'slow', status: 'failed', report: null, error: { message: 'which store?' } },
      ]);
    });

    it('shows the last run of each store, and none that only looked at the quarantine', async () => {
      await beginRuns(database(), [request], 1_000);
      const [last] = await beginRuns(database(), [request], 3_000);
      await beginRuns(database(), [{ ...request, scope: 'quarantine' }], 4_000);

      expect((await lastRuns(database(), ['fast', 'slow'])).map(({ runId }) => runId)).toEqual([last]);
    });

    it('shows no credentials', async () => {
      await addAside(0);
      await database().unitOfWork.run((tx) =>
        tx.insert('store_findings', [
          {
            id: randomUUID(),
            store_id: 'fast',
            subject_hash: 'h',
            kind: 'orphan',
            url: 's3://key:secret@host/bucket/x',
            is_known: 1,
            first_seen_at: 0,
            last_seen_at: 0,
          },
        ]),
      );

      expect(await listFindings(database(), ['fast'], 10)).toMatchObject([
        { kind: 'orphan', known: 'yes', url: 's3://host/bucket/x' },
      ]);
      expect(await listFindings(database(), ['slow'], 10)).toEqual([]);
      expect(await listQuarantine(database(), { limit: 10 })).toMatchObject([{ url: 's3://host/bucket/x' }]);
      expect(await listQuarantine(database(), { storeId: 'slow', limit: 10 })).toEqual([]);
    });

    it('marks what is to be put back or removed, all of it or nothing', async () => {
      const [old, recent] = [await addAside(0), await addAside(10 * DAY_MS)];

      await expect(chooseFromQuarantine(database(), 'discard', { ids: [old, 'absent'] })).rejects.toThrow(
        'nothing is set aside as absent',
      );
      const statesOf = async () =>
        (await listQuarantine(database(), { limit: 10 })).map(({ id, state }) => [id, state]);
      expect(await statesOf()).toEqual([
        [old, 'held'],
        [recent, 'held'],
      ]);

      const chosen = await chooseFromQuarantine(
        database(),
        'discard',
        { olderThanMs: 5 * DAY_MS },
        11 * DAY_MS,
      );

      expect(chosen).toEqual({ ids: [old], storeIds: ['fast'] });
      expect(await statesOf()).toEqual([
        [old, 'discard'],
        [recent, 'held'],
      ]);
      await expect(sweepQuarantine(database(), chosen, 0)).rejects.toThrow('no store-worker is done');
      expect(await sweepQuarantine(database(), { ids: [], storeIds: [] }, 0)).toEqual({ runs: [], left: [] });
    });
  });
}

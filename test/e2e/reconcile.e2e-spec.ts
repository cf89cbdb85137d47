import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from '@jest/globals';
import { ImageApi, eachMode, waitFor } from '@glimpse/testing';
import { identity } from './callers.js';
import { severalStores } from './several-stores.js';

/** Of each mode its own: what lies in them is compared with one database. */
let several: ReturnType<typeof severalStores>;
let staging: string;

/** Each command is a process of its own. */
const TIMEOUT_MS = 180_000;

interface Answer {
  readonly runs: { storeId: string; status: string; report: Record<string, unknown> }[];
  readonly findings: { kind: string; store: string; image: string | null }[];
}

/** What a command that failed, or found differences, printed, and its exit code. */
interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

eachMode(
  'The operator compares the stores with the database',
  (glimpse) => {
    const api = new ImageApi(() => glimpse().url, identity('p1', 'admin', 'member', 'reader'));
    const stored = async (data = randomBytes(5_000)) => {
      const { id } = await api.create();
      await api.upload(id, data);
      return { id, data };
    };
    const manage = (...args: string[]): Promise<Ended> =>
      glimpse()
        .manage(...args)
        .then(
          (stdout) => ({ code: 0, stdout, stderr: '' }),
          (error: unknown) => error as Ended,
        );
    const compare = async (...args: string[]) => {
      const { code, stdout } = await manage('reconcile', '--json', ...args);
      const { runs, findings } = JSON.parse(stdout) as Answer;
      return { code, findings, of: (store: string) => runs.find(({ storeId }) => storeId === store)?.report };
    };
    const repair = (...args: string[]) => compare('--repair', '--grace-seconds', '0', ...args);
    const setAside = async () =>
      JSON.parse((await manage('quarantine', 'list', '--json')).stdout) as { id: string; image: string }[];

    afterAll(async () => {
      await several.remove();
      await rm(staging, { recursive: true, force: true });
    });
    beforeEach(async () => {
      await repair();
      for (const { id } of await setAside()) await manage('quarantine', 'delete', id);
    }, TIMEOUT_MS);

    it(
      'and finds them to agree',
      async () => {
        await stored();

        const { code, of, findings } = await compare();

        expect({ code, findings }).toEqual({ code: 0, findings: [] });
        expect(of('slow')).toMatchObject({ orphans: { objects: 0 }, missing: 0 });
        expect(of('web')).toMatchObject({ listed: null });
        expect(of('os_glance_staging_store')).toMatchObject({ listed: { objects: 0 } });
      },
      TIMEOUT_MS,
    );

    it(
      'and sees what differs, in a table and by the exit code, without a change',
      async () => {
        const { id } = await stored();
        const { id: orphan } = await api.create();
        await writeFile(several.fileOf('slow', orphan), 'orphan');
        await rename(several.fileOf('slow', id), several.fileOf('fast', 'kept'));

        const shown = await manage('reconcile', '--store', 'slow');
        const last = await manage('reconcile', '--last', '--store', 'slow');

        expect(shown.code).toBe(3);
        expect(shown.stdout).toMatch(/^STORE +STATUS/);
        expect(shown.stdout).toMatch(new RegExp(`orphan +slow +${orphan}`));
        expect(shown.stdout).toMatch(new RegExp(`missing +slow +${id}`));
        expect(last).toMatchObject({ code: 3, stdout: shown.stdout });
        await rename(several.fileOf('fast', 'kept'), several.fileOf('slow', id));
        expect(await readFile(several.fileOf('slow', orphan), 'utf8')).toBe('orphan');
        expect((await compare('--store', 'slow')).findings).toMatchObject([
          { kind: 'orphan', image: orphan },
        ]);
      },
      TIMEOUT_MS,
    );

    it(
      'and has orphans set aside, looks at them, puts one back and removes the other',
      async () => {
        const { id, data } = await stored();
        const [one, other] = [await api.create(), await api.create()];
        for (const { id: orphan } of [one, other]) await writeFile(several.fileOf('slow', orphan), orphan);
        await writeFile(several.fileOf('slow', randomUUID()), 'of an image that was never known');

        const { code, of } = await repair('--store', 'slow');

        expect(code).toBe(3);
        expect(of('slow')).toMatchObject({
          setAside: { objects: 2, bytes: 72 },
          orphans: { objects: 1 },
          unknown: { objects: 1 },
          quarantine: { objects: 2 },
        });
        const aside = await setAside();
        const idOf = (image: string) => aside.find((entry) => entry.image === image)?.id ?? '';
        expect(await manage('quarantine', 'restore', idOf(one.id))).toMatchObject({
          code: 0,
          stdout: 'Put back 1, removed 0.\n',
        });
        expect(await readFile(several.fileOf('slow', one.id), 'utf8')).toBe(one.id);
        expect(await manage('quarantine', 'delete', idOf(other.id), '--json')).toMatchObject({
          stdout: '{"putBack":0,"discarded":1,"left":[]}\n',
        });
        expect(await setAside()).toEqual([]);
        expect((await api.download(id)).equals(data)).toBe(true);
        expect((await repair('--store', 'slow', '--sole-owner')).code).toBe(0);
        expect(await readdir(several.fileOf('slow', '.quarantine'))).toHaveLength(2);
      },
      TIMEOUT_MS,
    );

    it(
      'and is told what is wrong with the command',
      async () => {
        expect(await manage('reconcile', '--store', 'tape')).toMatchObject({
          code: 1,
          stderr: expect.stringContaining(
            'there is no store tape (fast, slow, web, os_glance_staging_store)',
          ),
        });
        expect(await manage('quarantine', 'restore', 'nonsense')).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('nothing is set aside as nonsense'),
        });
        expect((await manage('quarantine', 'delete')).code).toBe(1);
      },
      TIMEOUT_MS,
    );

    it(
      'while uploads and deletions go on, and loses nothing',
      async () => {
        const over = new AbortController();
        const repairing = (async () => {
          while (!over.signal.aborted) await repair();
        })();
        const kept: { id: string; data: Buffer }[] = [];
        for (let round = 0; round < 6; round++) {
          const images = await Promise.all(Array.from({ length: 4 }, () => stored(randomBytes(40_000))));
          await Promise.all(images.slice(2).map(({ id }) => api.expect(204, 'DELETE', `/v2/images/${id}`)));
          kept.push(...images.slice(0, 2));
        }
        over.abort();
        await repairing;

        for (const { id, data } of kept) expect((await api.download(id)).equals(data)).toBe(true);
        await waitFor('the removal of what was deleted', async () => (await compare()).code === 0);
        expect(await setAside()).toEqual([]);
      },
      TIMEOUT_MS,
    );
  },
  () => {
    several = severalStores();
    staging = mkdtempSync(join(tmpdir(), 'glimpse-staging-'));
    const env = {
      ...several.env,
      GLIMPSE_STAGING: JSON.stringify({ type: 'file', datadir: staging }),
      GLIMPSE_JOBS_POLL_MS: '100',
    };
    return Promise.resolve({ env });
  },
);

import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { ImageApi, eachMode, waitFor } from '@glimpse/testing';
import { identity } from './callers.js';
import { EventSpy } from './event-spy.js';
import { severalStores } from './several-stores.js';

interface Copy {
  readonly store: string | null;
  readonly state: string;
  readonly in_service: boolean;
  readonly reason: string | null;
  readonly intact_at: string | null;
  readonly queued: boolean;
}

const several = severalStores();
afterAll(() => several.remove());

const DEADLINE_MS = 60_000;

/** Changes one byte of a file, and neither its size nor its name. */
async function damage(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 1_000);
    await file.write(Buffer.of(buffer[0]! ^ 0xff), 0, 1, 1_000);
    await file.sync();
  } finally {
    await file.close();
  }
}

eachMode(
  'Verification',
  (glimpse) => {
    const admin = new ImageApi(() => glimpse().url, identity('p1', 'admin', 'member', 'reader'));
    const owner = new ImageApi(() => glimpse().url, identity('p1', 'member', 'reader'));
    const stranger = new ImageApi(() => glimpse().url, identity('p2', 'member', 'reader'));

    /** An active image with a copy in each of the stores. */
    async function stored(stores: readonly ('fast' | 'slow')[]): Promise<{ id: string; data: Buffer }> {
      const data = randomBytes(3_000_000);
      const { id } = await owner.create();
      const [first = 'slow', ...others] = stores;
      const headers = { 'content-type': 'application/octet-stream', 'x-image-meta-store': first };
      await owner.expect(204, 'PUT', `/v2/images/${id}/file`, { headers, body: data });
      if (others.length > 0) {
        const body = JSON.stringify({ method: { name: 'copy-image' }, stores: others });
        await admin.expect(202, 'POST', `/v2/images/${id}/import`, { body });
        await waitFor('the copy', async () => (await owner.show(id))['stores'] === 'fast,slow', DEADLINE_MS);
      }
      return { id, data };
    }
    const copiesOf = async (id: string) => {
      const { text } = await owner.expect(200, 'GET', `/v2/images/${id}/verification`);
      return (JSON.parse(text) as { copies: Copy[] }).copies;
    };
    const verify = (id: string) => admin.expect(202, 'POST', `/v2/images/${id}/actions/verify`);
    const until = (id: string, what: string, isReached: (copies: Copy[]) => boolean) =>
      waitFor(what, async () => isReached(await copiesOf(id)), DEADLINE_MS);
    const areLookedAt = (copies: Copy[]) =>
      copies.every(({ state, queued }) => state !== 'unverified' && !queued);
    const download = (id: string) => owner.send('GET', `/v2/images/${id}/file`);
    const metrics = async () => {
      const texts = await Promise.all(
        (['registry', 'store-worker'] as const)
          .flatMap((service) => glimpse().running(service))
          .map(async ({ url }) => (await fetch(`${url}/metrics`)).text()),
      );
      return texts.join('\n');
    };

    it('finds whole what is whole, and tells its owner when', async () => {
      const { id } = await stored(['slow', 'fast']);

      await verify(id);
      await until(id, 'the end', areLookedAt);

      expect(await copiesOf(id)).toEqual(
        ['slow', 'fast'].map((store) =>
          expect.objectContaining({ store, state: 'intact', in_service: true, reason: null }),
        ),
      );
      expect((await stranger.send('GET', `/v2/images/${id}/verification`)).status).toBe(404);
      expect((await owner.send('POST', `/v2/images/${id}/actions/verify`)).status).toBe(403);
    });

    it('takes a damaged copy out of service and repairs it from another store', async () => {
      const spy = await EventSpy.on(glimpse());
      const { id, data } = await stored(['slow', 'fast']);
      const path = several.fileOf('fast', id);
      await damage(path);

      await verify(id);
      await until(
        id,
        'the repair',
        (copies) => copies.length === 2 && copies.every(({ state }) => state === 'intact'),
      );

      const answer = await download(id);
      expect(answer.body.equals(data)).toBe(true);
      expect(await owner.show(id)).toMatchObject({ status: 'active', stores: 'fast,slow' });
      expect(await owner.show(id)).not.toHaveProperty('os_glance_damaged_stores');
      await waitFor('the damaged file to go', () => isGone(path), DEADLINE_MS);
      const slow = await readFile(several.fileOf('slow', id));
      expect(slow.equals(data)).toBe(true);
      const events = async () => (await spy.events()).join('\n');
      await waitFor('the event', async () => (await events()).includes('image.copy.repaired'), DEADLINE_MS);
      expect(await events()).toContain('image.copy.verified');
      await spy.close();
    });

    it('gives nobody the damaged data of the only copy, and says what is wrong', async () => {
      const { id, data } = await stored(['slow']);
      const path = several.fileOf('slow', id);
      await damage(path);

      await verify(id);
      await until(id, 'the end', areLookedAt);

      const answer = await download(id);
      expect(answer.status).toBe(409);
      expect(answer.text).toContain('damaged');
      const shown = await owner.show(id);
      expect(shown).toMatchObject({ status: 'active', os_glance_damaged_stores: 'slow' });
      expect(shown).not.toHaveProperty('stores');
      expect(await copiesOf(id)).toMatchObject([{ state: 'damaged', in_service: false }]);
      expect(await metrics()).toMatch(/glimpse_verifications_total\{state="damaged"[^}]*\} [1-9]/);
      const listed = await glimpse().manage('verify', '--list', '--json');
      expect(JSON.parse(listed)).toEqual([
        expect.objectContaining({ image: id, store: 'slow', state: 'damaged', in_service: 'no' }),
      ]);
      // Mended by hand, it is in service again.
      await damage(path);
      await verify(id);
      await until(id, 'the end', ([copy]) => copy?.state === 'intact');
      expect((await download(id)).body.equals(data)).toBe(true);
    });

    it('repairs data that is lost, and data that was cut off', async () => {
      const lost = await stored(['slow', 'fast']);
      const cut = await stored(['slow', 'fast']);
      await rm(several.fileOf('fast', lost.id));
      await truncate(several.fileOf('slow', cut.id), 10_000);

      await glimpse().manage('verify', cut.id);
      // Whoever misses it has it looked for.
      expect((await download(lost.id)).body.equals(lost.data)).toBe(true);
      for (const { id, data } of [lost, cut]) {
        await until(
          id,
          'the repair',
          (copies) =>
            copies.length === 2 &&
            copies.every(({ queued, in_service: isInService }) => !queued && isInService) &&
            copies.some(({ state }) => state === 'intact'),
        );
        expect((await download(id)).body.equals(data)).toBe(true);
      }
    });

    it('blames no data for a store that is away', async () => {
      const { id, data } = await stored(['fast']);
      const folder = dirname(several.fileOf('fast', id));
      await rename(folder, `${folder}.away`);
      try {
        await verify(id);
        await until(id, 'the end', areLookedAt);

        expect(await copiesOf(id)).toMatchObject([{ state: 'unreachable', in_service: true }]);
      } finally {
        await rename(`${folder}.away`, folder);
      }
      expect((await download(id)).body.equals(data)).toBe(true);
    });
  },
  {
    auth: 'headers',
    env: { ...several.env, GLIMPSE_JOBS_RETRY_BASE_MS: '50', GLIMPSE_JOBS_POLL_MS: '200' },
  },
);

const isGone = (path: string) =>
  stat(path).then(
    () => false,
    () => true,
  );

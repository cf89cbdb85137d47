import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ImageApi, eachMode, waitFor } from '@glimpse/testing';

const BOUND_MS = 90_000;
const TEST_TIMEOUT_MS = 240_000;
const MIB = 2 ** 20;
const JSON_TYPE = { 'content-type': 'application/json' };
const OCTETS = { 'content-type': 'application/octet-stream' };

const folder = mkdtempSync(join(tmpdir(), 'glimpse-conversion-'));
const scratch = join(folder, 'scratch');
const raw = join(folder, 'disk.raw');
const compressed = join(folder, 'disk.qcow2');

beforeAll(() => {
  writeFileSync(raw, Buffer.concat(Array.from({ length: 64 }, () => randomBytes(MIB))));
  execFileSync('qemu-img', ['convert', '-c', '-O', 'qcow2', raw, compressed]);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The processes whose command line names the scratch space: the tools at work there. */
function toolsAtWork(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${scratch}/`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

const leftovers = () => {
  try {
    return readdirSync(scratch);
  } catch {
    return [];
  }
};

eachMode(
  'a conversion',
  (glimpse) => {
    const api = new ImageApi(() => glimpse().url);
    const beginImport = async () => {
      const { id } = await api.create({ disk_format: 'qcow2' });
      const body = readFileSync(compressed);
      await api.expect(204, 'PUT', `/v2/images/${id}/stage`, { headers: OCTETS, body });
      await api.expect(202, 'POST', `/v2/images/${id}/import`, {
        headers: JSON_TYPE,
        body: JSON.stringify({ method: { name: 'glance-direct' } }),
      });
      return id;
    };

    it(
      'is finished by another worker when the first is killed in the middle, and nothing of it is left',
      async () => {
        const id = await beginImport();
        await waitFor('the worker to have written something', () => leftovers().length === 1, BOUND_MS);

        await glimpse().kill('store-worker');
        await waitFor('its tools to end', () => toolsAtWork().length === 0, BOUND_MS);
        await glimpse().start('store-worker');
        await glimpse().ready();

        await waitFor('the image', async () => (await api.show(id)).status === 'active', BOUND_MS);
        expect(await api.show(id)).toMatchObject({ disk_format: 'raw', size: 64 * MIB });
        expect((await api.download(id)).equals(readFileSync(raw))).toBe(true);
        expect(leftovers()).toEqual([]);
        expect(toolsAtWork()).toEqual([]);
      },
      TEST_TIMEOUT_MS,
    );

    it(
      'of an image that is deleted ends, and nothing of it is left',
      async () => {
        const id = await beginImport();

        await api.delete(id);

        await waitFor(
          'the scratch space to be empty',
          () => leftovers().length === 0 && toolsAtWork().length === 0,
          BOUND_MS,
        );
        expect((await api.send('GET', `/v2/images/${id}`)).status).toBe(404);
      },
      TEST_TIMEOUT_MS,
    );
  },
  {
    env: {
      GLIMPSE_IMPORT_STEPS: 'image_conversion',
      GLIMPSE_IMPORT_SCRATCH_DIR: scratch,
      GLIMPSE_JOBS_LEASE_MS: '4000',
    },
  },
);

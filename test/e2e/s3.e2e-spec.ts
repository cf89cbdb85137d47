import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ImageApi, eachMode, waitFor } from '@glimpse/testing';
import { BucketStores } from './bucket-stores.js';
import { JSON_TYPE, identity } from './callers.js';

const OCTETS = { 'content-type': 'application/octet-stream' };
const WAIT_MS = 60_000;
const TEST_TIMEOUT_MS = 180_000;
const MIB = 1 << 20;
/** Many times what may be held of it at once. */
const LARGE_MIB = 400;
/** Of a process, for an image of any size: one that does nothing has 170 to 190, and an upload of 250 MiB adds as much as one of 1,000. */
const MOST_MEMORY_MIB = 380;
const services = ['api-gateway', 'registry', 'store-worker'] as const;

/** The most memory that the process ever had resident. */
function peakMebibytes(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) / 1024;
}

const sha512 = (data: Buffer) => createHash('sha512').update(data).digest('hex');
/** Two parts and a bit. */
const DATA = randomBytes(11_000_001);

let stores: BucketStores;
beforeAll(async () => {
  stores = await BucketStores.create();
});
afterAll(() => stores.remove());

eachMode(
  'Images in a bucket',
  (glimpse) => {
    const api = new ImageApi(() => glimpse().url, identity('p1', 'admin', 'member', 'reader'));
    const service = new ImageApi(() => glimpse().url, identity('p1', 'member', 'reader', 'service'));

    const uploadTo = (store: string, id: string, body: Buffer | Readable) =>
      api.send('PUT', `/v2/images/${id}/file`, {
        headers: { ...OCTETS, 'x-image-meta-store': store },
        body,
      });
    const stored = async (store: string, data = DATA) => {
      const { id } = await api.create();
      expect((await uploadTo(store, id, data)).status).toBe(204);
      return id;
    };
    const importIt = (id: string, name: string, more: object) =>
      api.expect(202, 'POST', `/v2/images/${id}/import`, {
        headers: JSON_TYPE,
        body: JSON.stringify({ method: { name }, ...more }),
      });
    const ended = (id: string) =>
      waitFor(
        'the end of the import',
        async () => {
          const image = await api.show(id);
          const isBusy = image.status === 'importing' || image['os_glance_importing_to_stores'] !== '';
          return isBusy || 'os_glance_import_task' in image ? undefined : image;
        },
        WAIT_MS,
      );
    const whileAway = async <T>(work: () => Promise<T>): Promise<T> => {
      await stores.proxy.close();
      try {
        return await work();
      } finally {
        await stores.proxy.open();
      }
    };

    it('go in and out, whole and in ranges', async () => {
      const id = await stored('bucket');

      expect(await api.show(id)).toMatchObject({
        status: 'active',
        stores: 'bucket',
        size: DATA.length,
        os_hash_value: sha512(DATA),
      });
      expect(sha512(await api.download(id))).toBe(sha512(DATA));
      for (const [start, end] of [
        [0, 0],
        [5_242_879, 5_242_880],
        [10_000_000, 11_000_000],
      ] as const) {
        const headers = { range: `bytes=${start}-${end}` };
        const { status, body } = await api.send('GET', `/v2/images/${id}/file`, { headers });
        expect(status).toBe(206);
        expect(body.equals(DATA.subarray(start, end + 1))).toBe(true);
      }
      expect(await stores.everything()).toContain(id);

      await api.delete(id);

      await waitFor('the object to be gone', async () => !(await stores.everything()).includes(id));
    });

    it(
      'take little memory, however large they are',
      async () => {
        const { id } = await api.create();
        const piece = Buffer.alloc(MIB, 'x');

        const source = Readable.from(Array.from({ length: LARGE_MIB }, () => piece));
        expect((await uploadTo('direct', id, source)).status).toBe(204);

        expect(await api.show(id)).toMatchObject({ status: 'active', size: LARGE_MIB * MIB });
        for (const { name, pid } of services.flatMap((each) => glimpse().running(each)))
          expect({ name, isLittle: peakMebibytes(pid) < MOST_MEMORY_MIB }).toEqual({ name, isLittle: true });
        await api.delete(id);
      },
      TEST_TIMEOUT_MS,
    );

    it('have locations as Glance writes them, without credentials', async () => {
      const id = await stored('bucket', Buffer.from('data'));

      const { text } = await service.expect(200, 'GET', `/v2/images/${id}/locations`);

      const { host } = new URL(stores.proxy.url);
      expect(JSON.parse(text)).toMatchObject([{ url: `s3://${host}/${stores.bucket.name}/${id}` }]);
    });

    it('are described to administrators', async () => {
      const { text } = await api.expect(200, 'GET', '/v2/info/stores/detail');
      const described = (JSON.parse(text) as { stores: { id: string }[] }).stores;

      expect(described.find(({ id }) => id === 'bucket')).toMatchObject({
        type: 's3',
        properties: {
          s3_store_large_object_size: 5,
          s3_store_large_object_chunk_size: 5,
          s3_store_thread_pools: 10,
        },
      });
      expect(text).not.toContain('secret');
    });

    it('are imported into all stores at once', async () => {
      const { id } = await api.create();
      await api.expect(204, 'PUT', `/v2/images/${id}/stage`, { headers: OCTETS, body: DATA });

      await importIt(id, 'glance-direct', { all_stores: true });

      expect(await ended(id)).toMatchObject({ status: 'active', stores: 'local,bucket,direct' });
      for (const store of ['local', 'bucket']) {
        const { body } = await api.send('GET', `/v2/images/${id}/file?prefer=${store}`);
        expect(sha512(body)).toBe(sha512(DATA));
      }
    });

    it('are copied into another store and back', async () => {
      const id = await stored('local');

      await importIt(id, 'copy-image', { stores: ['bucket'] });
      expect(await ended(id)).toMatchObject({ stores: 'local,bucket', os_glance_failed_import: '' });
      await api.expect(204, 'DELETE', `/v2/stores/local/${id}`);
      expect(sha512(await api.download(id))).toBe(sha512(DATA));
      await importIt(id, 'copy-image', { stores: ['local'] });
      expect(await ended(id)).toMatchObject({ stores: 'bucket,local', os_glance_failed_import: '' });
      await api.expect(204, 'DELETE', `/v2/stores/bucket/${id}`);

      await waitFor('the object to be gone', async () => !(await stores.everything()).includes(id));
      expect(sha512(await api.download(id))).toBe(sha512(DATA));
    });

    it('are not copied where the object is not what was stored', async () => {
      const id = await stored('bucket');
      await stores.bucket.put(id, randomBytes(DATA.length));

      await importIt(id, 'copy-image', { stores: ['local'] });

      expect(await ended(id)).toMatchObject({ stores: 'bucket', os_glance_failed_import: 'local' });
    });

    describe('while the server is away', () => {
      it('are not taken, and can be sent again', async () => {
        const { id } = await api.create();

        const { status } = await whileAway(() => uploadTo('bucket', id, DATA));

        expect(status).toBe(503);
        await waitFor('the image to be queued', async () => (await api.show(id)).status === 'queued');
        expect((await uploadTo('bucket', id, DATA)).status).toBe(204);
      });

      it('are read from their other store, else answered with 503', async () => {
        const id = await stored('bucket');
        const both = await stored('local');
        await importIt(both, 'copy-image', { stores: ['bucket'] });
        await ended(both);

        const [alone, preferred] = await whileAway(() =>
          Promise.all([
            api.send('GET', `/v2/images/${id}/file`),
            api.send('GET', `/v2/images/${both}/file?prefer=bucket`),
          ]),
        );

        expect(alone.status).toBe(503);
        expect(preferred.status).toBe(200);
        expect(sha512(preferred.body)).toBe(sha512(DATA));
      });

      it(
        'go into the other stores, and the one that failed is named',
        async () => {
          const id = await stored('local');
          const image = await whileAway(async () => {
            await importIt(id, 'copy-image', {
              stores: ['bucket', 'direct'],
              all_stores_must_succeed: false,
            });
            return ended(id);
          });

          expect(image).toMatchObject({ stores: 'local,direct', os_glance_failed_import: 'bucket' });
        },
        TEST_TIMEOUT_MS,
      );

      it('keep the service from being ready', async () => {
        const health = async () => (await api.send('GET', '/readyz')).status;

        expect(await whileAway(health)).toBe(503);
        expect(await health()).toBe(200);
      });
    });

    it('leave nothing when the server goes away in the middle', async () => {
      const { id } = await api.create();
      const source = new Readable({ read() {} });
      source.push(DATA);
      const answer = uploadTo('bucket', id, source);
      await waitFor('parts on the server', async () => (await stores.bucket.uploads()).length > 0);

      const { status } = await whileAway(() => {
        source.push(DATA);
        source.push(null);
        return answer;
      });

      expect(status).toBe(503);
      await waitFor('the image to be queued', async () => (await api.show(id)).status === 'queued');
      expect((await uploadTo('bucket', id, DATA)).status).toBe(204);
      await api.delete(id);
    });

    it('leave nothing when the client goes away in the middle', async () => {
      const { id } = await api.create();
      const source = new Readable({ read() {} });
      source.push(DATA);
      const answer = uploadTo('bucket', id, source);
      await waitFor('parts on the server', async () => (await stores.bucket.uploads()).length > 0);

      source.destroy();
      await answer.catch(() => undefined);

      await waitFor('the image to be queued', async () => (await api.show(id)).status === 'queued');
      await waitFor('nothing to be left', async () => (await stores.bucket.uploads()).length === 0);
      expect(await stores.bucket.objects()).not.toContain(id);
    });

    describe('are read from the store itself', () => {
      const get = (id: string, headers: Record<string, string> = {}, query = '') =>
        fetch(`${glimpse().url}/v2/images/${id}/file${query}`, {
          redirect: 'manual',
          headers: { ...identity('p1', 'member', 'reader'), ...headers },
        });
      const bodyOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

      it('by a URL that is valid for a while', async () => {
        const id = await stored('direct');

        const response = await get(id);

        expect(response.status).toBe(307);
        expect(response.headers.get('cache-control')).toBe('no-store');
        const url = response.headers.get('location') ?? '';
        expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('60');
        expect(sha512(await bodyOf(await fetch(url)))).toBe(sha512(DATA));
        const part = await fetch(url, { headers: { range: 'bytes=10-19' } });
        expect([part.status, await bodyOf(part)]).toEqual([206, DATA.subarray(10, 20)]);
        const signature = new URL(url).searchParams.get('X-Amz-Signature') ?? '';
        expect(signature).not.toBe('');
        expect(glimpse().logs).not.toContain(signature);
      });

      it('by clients that follow without knowing', async () => {
        const id = await stored('direct');

        const response = await fetch(`${glimpse().url}/v2/images/${id}/file`, {
          headers: identity('p1', 'member', 'reader'),
        });

        expect(response.redirected).toBe(true);
        expect(sha512(await bodyOf(response))).toBe(sha512(DATA));
      });

      it('but not with conditions that it would take in another sense, nor for HEAD', async () => {
        const id = await stored('direct', Buffer.from('data'));

        expect((await get(id, { 'if-match': '*' })).status).toBe(200);
        expect((await get(id, { 'want-repr-digest': 'sha-512=1' })).status).toBe(200);
        expect((await get(id, { 'content-range': 'bytes 0-1/*' })).status).toBe(206);
        expect((await api.send('HEAD', `/v2/images/${id}/file`)).status).toBe(200);
      });

      it('only by those who may read it, and only where it lies there', async () => {
        const id = await stored('direct', Buffer.from('data'));
        const elsewhere = await stored('bucket', Buffer.from('data'));
        const stranger = { 'x-project-id': 'p2', 'x-user-id': 'stranger' };

        expect((await get(id, stranger)).status).toBe(404);
        expect((await get(elsewhere)).status).toBe(200);
        await api.expect(204, 'POST', `/v2/images/${id}/actions/deactivate`);
        expect((await get(id)).status).toBe(403);
        expect((await api.send('GET', `/v2/images/${id}/file`)).status).toBe(200);
      });

      it('from the best of its stores that has it', async () => {
        const id = await stored('direct', Buffer.from('data'));
        await importIt(id, 'copy-image', { stores: ['local'] });
        await ended(id);

        expect((await get(id)).status).toBe(307);
        expect((await get(id, {}, '?prefer=local')).status).toBe(200);
        await stores.direct.delete(id);
        expect((await get(id)).status).toBe(200);
      });
    });
  },
  async () => ({ auth: 'headers', env: stores.env }),
);

import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  DataServer,
  ImageApi,
  aFixedVhd,
  aLuksVolume,
  aPartitionedDisk,
  aQcow2Image,
  aQedImage,
  aStreamOptimizedVmdk,
  aVdiImage,
  aVhdImage,
  aVhdxImage,
  aVmdkImage,
  anIsoImage,
  eachMode,
  vmdkDescriptor,
  waitFor,
} from '@glimpse/testing';
import { JSON_TYPE, identity } from './callers.js';
import { severalStores } from './several-stores.js';

const OCTETS = { 'content-type': 'application/octet-stream' };
const GIB = 2 ** 30;
const MIB = 2 ** 20;
const unsafe = aQcow2Image({ backingFileOffset: 512n });
const UNSAFE = 'Image failed safety checks: qcow2 backing_file: it names another file as its backing file';
const polyglot = anIsoImage();
aQcow2Image().copy(polyglot, 0, 0, 512);

const several = severalStores();
afterAll(() => several.remove());

eachMode(
  'Formats of image data',
  (glimpse) => {
    const api = new ImageApi(() => glimpse().url, identity('p1', 'member', 'reader'));
    const admin = new ImageApi(() => glimpse().url, identity('p1', 'admin', 'member', 'reader'));
    let web: DataServer;
    beforeAll(async () => {
      web = await DataServer.start();
    });
    afterAll(() => web.close());

    const put = (id: string, body: Buffer | Readable, what: 'file' | 'stage' = 'file') =>
      api.send('PUT', `/v2/images/${id}/${what}`, { headers: OCTETS, body });
    const leftIn = (store: 'fast' | 'slow') => readdir(dirname(several.fileOf(store, 'x'))).catch(() => []);
    /** Nothing of a refused image is left, and it may be uploaded anew. */
    const expectQueued = async (id: string) => {
      expect(await api.show(id)).toMatchObject({
        status: 'queued',
        size: null,
        virtual_size: null,
        checksum: null,
        os_hash_algo: null,
        os_hash_value: null,
      });
      for (const store of ['fast', 'slow'] as const)
        await waitFor('the removal of the data', async () =>
          (await leftIn(store)).every((name) => !name.includes(id)) ? true : undefined,
        );
    };
    const importOf = async (id: string, method: object, more: object = {}) => {
      const body = JSON.stringify({ method, ...more });
      await api.expect(202, 'POST', `/v2/images/${id}/import`, { headers: JSON_TYPE, body });
      const image = await waitFor('the end of the import', async () => {
        const now = await api.show(id);
        return now.status === 'importing' || 'os_glance_import_task' in now ? undefined : now;
      });
      const { text } = await api.expect(200, 'GET', `/v2/images/${id}/tasks`);
      const { tasks } = JSON.parse(text) as { tasks: { status: string; message: string }[] };
      return { image, task: tasks[0] };
    };

    it.each([
      ['qcow2', aQcow2Image(), 10 * GIB],
      ['vhd', aVhdImage(), 10 * GIB],
      ['vhd', aFixedVhd(), 65_536],
      ['vhdx', aVhdxImage(), 10 * GIB],
      ['vmdk', aVmdkImage(), 10 * GIB],
      ['vmdk', aStreamOptimizedVmdk(), 10 * GIB],
      ['vdi', aVdiImage(), 10 * GIB],
      ['iso', anIsoImage(), 5_000 * 2_048],
      ['gpt', aPartitionedDisk(), 65_536],
      ['luks', aLuksVolume(), 2 * MIB],
      ['raw', aPartitionedDisk(), 65_536],
      ['raw', aQcow2Image(), 65_536],
      ['ami', Buffer.from('anything'), null],
    ])(
      'is accepted as %s that is one, with the size of its disk',
      async (disk_format, data, virtual_size) => {
        const { id } = await api.create({ disk_format });

        expect((await put(id, data)).status).toBe(204);

        expect(await api.show(id)).toMatchObject({ status: 'active', size: data.length, virtual_size });
      },
    );

    it.each([
      ['qcow2', Buffer.alloc(100_000), 'Image disk_format qcow2 does not match stream data raw'],
      ['qcow2', Buffer.alloc(0), 'Image disk_format qcow2 does not match stream data raw'],
      ['vhd', Buffer.alloc(3 * MIB), 'Image disk_format vhd does not match stream data raw'],
      ['vmdk', aQcow2Image(), 'Image disk_format vmdk does not match stream data qcow2'],
      ['ami', aQcow2Image(), 'Image disk_format ami does not match stream data qcow2'],
      ['raw', polyglot, 'Multiple formats detected: qcow2,iso'],
      ['raw', Buffer.from('conectix'), 'Incomplete file cannot be safety checked'],
      ['qcow2', unsafe, UNSAFE],
      ['raw', unsafe, UNSAFE],
      ['raw', aQedImage(), 'Image failed safety checks: qed banned'],
      ['vmdk', Buffer.from(vmdkDescriptor({ createType: 'monolithicFlat' })), 'vmdk descriptor'],
      ['raw', aStreamOptimizedVmdk({ markerType: 0 }), 'vmdk footer'],
    ])('is refused as %s where it is not, or not safe', async (disk_format, data, reason) => {
      const { id } = await api.create({ disk_format });

      const answer = await put(id, data);

      expect(answer.status).toBe(415);
      expect(answer.text).toContain(
        'The request media type application/octet-stream is not supported by this server.',
      );
      expect(answer.text).toContain(reason);
      await expectQueued(id);
    });

    it('is refused by its beginning, without a wait for the rest', async () => {
      const { id } = await api.create({ disk_format: 'qcow2' });
      const endless = new Readable({ read() {} });
      endless.push(Buffer.alloc(MIB / 2));

      const answer = await put(id, endless);

      expect(answer.status).toBe(415);
      endless.destroy();
      await expectQueued(id);
    });

    it('may come again after it was refused, also under another format', async () => {
      const { id } = await api.create({ disk_format: 'vmdk' });
      expect((await put(id, aQcow2Image())).status).toBe(415);
      const headers = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
      const body = JSON.stringify([{ op: 'replace', path: '/disk_format', value: 'qcow2' }]);
      await api.expect(200, 'PATCH', `/v2/images/${id}`, { headers, body });

      expect((await put(id, aQcow2Image())).status).toBe(204);

      expect(await api.show(id)).toMatchObject({ status: 'active', virtual_size: 10 * GIB });
    });

    it('is not looked at in containers other than bare', async () => {
      const { id } = await api.create({ disk_format: 'qcow2', container_format: 'ovf' });

      expect((await put(id, aQedImage())).status).toBe(204);

      expect(await api.show(id)).toMatchObject({ status: 'active', virtual_size: null });
    });

    it.each([
      ['qcow2', Buffer.alloc(3 * MIB), 'Image disk_format qcow2 does not match stream data raw'],
      ['qcow2', unsafe, UNSAFE],
      ['vhd', Buffer.alloc(3 * MIB), 'Image disk_format vhd does not match stream data raw'],
    ])('that was staged as %s is refused when it is imported', async (disk_format, data, reason) => {
      const { id } = await api.create({ disk_format });
      expect((await put(id, data, 'stage')).status).toBe(204);

      const { image, task } = await importOf(id, { name: 'glance-direct' }, { stores: ['fast', 'slow'] });

      expect(image['os_glance_failed_import']).toBe('fast,slow');
      expect(task).toMatchObject({ status: 'failure', message: expect.stringContaining(reason) });
      await expectQueued(id);
    });

    it('from the web is refused by its beginning', async () => {
      const { id } = await api.create({ disk_format: 'qcow2' });
      const uri = web.serve('endless', Buffer.alloc(4 * MIB));
      const release = web.hold('endless');

      const { task } = await importOf(id, { name: 'web-download', uri });

      release();
      expect(task).toMatchObject({ status: 'failure', message: expect.stringContaining('does not match') });
      await expectQueued(id);
    });

    it('is copied between stores whatever it is', async () => {
      const { id } = await api.create({ disk_format: 'qcow2', container_format: 'ovf' });
      expect((await put(id, unsafe)).status).toBe(204);
      const body = JSON.stringify({ method: { name: 'copy-image' }, stores: ['fast'] });

      await admin.expect(202, 'POST', `/v2/images/${id}/import`, { headers: JSON_TYPE, body });

      await waitFor('the copy', async () =>
        String((await api.show(id))['stores']).includes('fast') ? true : undefined,
      );
    });
  },
  {
    auth: 'headers',
    env: {
      ...several.env,
      GLIMPSE_IMAGES_DISK_FORMATS: 'ami,raw,qcow2,vhd,vhdx,vmdk,vdi,iso,gpt,luks',
      GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_ADDRESSES: '127.0.0.1',
      GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_PORTS: '',
    },
  },
);

eachMode(
  'Formats under the rules of an operator',
  (glimpse) => {
    const api = new ImageApi(() => glimpse().url, identity('p1', 'member', 'reader'));
    const upload = async (formats: object, data: Buffer) => {
      const { id } = await api.create(formats);
      return (await api.send('PUT', `/v2/images/${id}/file`, { headers: OCTETS, body: data })).status;
    };

    it('need not match, but what is as declared must be safe', async () => {
      expect(await upload({ disk_format: 'qcow2' }, Buffer.from('no disk'))).toBe(204);
      expect(await upload({ disk_format: 'qcow2' }, unsafe)).toBe(415);
    });

    it('may be banned, and partition tables be odd', async () => {
      expect(await upload({ disk_format: 'raw' }, aLuksVolume())).toBe(415);
      expect(await upload({ disk_format: 'raw' }, aPartitionedDisk([]))).toBe(204);
      expect(await upload({ disk_format: 'vmdk' }, aVmdkImage())).toBe(415);
    });

    it('are looked into in every container', async () => {
      expect(await upload({ disk_format: 'raw', container_format: 'ovf' }, aQedImage())).toBe(415);
    });
  },
  {
    auth: 'headers',
    env: {
      GLIMPSE_FORMATS_REQUIRE_MATCH: 'false',
      GLIMPSE_FORMATS_REFUSED: 'luks',
      GLIMPSE_FORMATS_STRICT: 'true',
      GLIMPSE_FORMATS_GPT_SAFETY_CHECKS_NONFATAL: 'mbr',
      GLIMPSE_FORMATS_VMDK_ALLOWED_TYPES: 'streamOptimized',
    },
  },
);

import { createHash } from 'node:crypto';
import { readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { type ImageDocument, type OwnPlace, ImageApi, createVirtualHost, eachMode } from '@glimpse/testing';
import { freePort } from '../../scripts/services/ports.js';
import { ComputeAgent, optionsOf } from '../qemu/compute-agent.js';
import { CountingProxy } from '../qemu/counting-proxy.js';
import { ensureGuestFiles } from '../qemu/guest-files.js';
import { DISK_NAME, VirtualMachine, digHoles } from '../qemu/virtual-machine.js';
import { identity } from './callers.js';

const BOOT_MS = 180_000;
const MIB = 1024 * 1024;
const DISK_BYTES = 64 * MIB;
const ANY_PORT = 0;
const sha512 = (data: Buffer) => createHash('sha512').update(data).digest('hex');

interface Report {
  readonly image_id: string;
  readonly os_hash_value: string;
}

/** Where machines run, and how store-workers reach the disks that they offer. */
interface Host {
  readonly folder: string;
  readonly bus: OwnPlace;
  /** QEMU listens there; store-workers come through the proxy, where there is one. */
  readonly port: number;
  readonly proxy: CountingProxy;
}
let host: Host;

async function startHost(): Promise<Host> {
  const port = await freePort(ANY_PORT);
  return {
    folder: await mkdtemp(join(tmpdir(), 'glimpse-machines-')),
    bus: await createVirtualHost(),
    port,
    proxy: await CountingProxy.start(port),
  };
}

async function endHost({ folder, bus, proxy }: Host): Promise<void> {
  await proxy.close();
  await bus.remove();
  await rm(folder, { recursive: true });
}

eachMode(
  'Snapshots of a machine that runs',
  (glimpse, mode) => {
    const api = new ImageApi(() => glimpse().url, identity('p1', 'member', 'reader'));
    const machines: VirtualMachine[] = [];
    let original: VirtualMachine;
    let first: Report;
    afterEach(async () => {
      for (const machine of machines.filter((one) => one !== original)) await machine.stop();
    });
    afterAll(async () => {
      await original?.stop();
      await endHost(host);
    });

    /** A machine whose disk is that image, as it came from the API. */
    async function boot(image: string, format: 'raw' | 'qcow2' = 'raw'): Promise<VirtualMachine> {
      const folder = await mkdtemp(join(host.folder, 'm-'));
      const path = join(folder, 'disk');
      await writeFile(path, await api.download(image));
      digHoles(path);
      const machine = await VirtualMachine.start(folder, { path, format });
      machines.push(machine);
      return machine;
    }

    /** Embedded by a Unix socket, distributed by TCP. */
    const nbdArguments = () =>
      mode === 'embedded'
        ? ['--nbd-listen', `unix:${join(host.folder, 'nbd.sock')}`]
        : ['--nbd-listen', `127.0.0.1:${host.port}`, '--nbd-at', `127.0.0.1:${host.proxy.port}`];

    async function snapshot(name: string, ...more: string[]): Promise<Report> {
      const bus = mode === 'embedded' ? host.bus.url : glimpse().env['GLIMPSE_BUS_URL']!;
      const { qmp, guestAgent } = original;
      const agent = new ComputeAgent([
        'snapshot',
        ...optionsOf({ qmp, 'guest-agent': guestAgent, disk: DISK_NAME, scratch: host.folder, bus, name }),
        ...optionsOf({ project: 'p1', user: 'u1', bitmap: 'changes', quiesce: 'required', timeout: '120' }),
        ...nbdArguments(),
        ...more,
        '--json',
      ]);
      const { code, output, log } = await agent.end();
      if (code !== 0) throw new Error(`The agent ended with ${code}: ${log} ${output}`);
      return JSON.parse(output) as Report;
    }

    beforeAll(async () => {
      const base = await api.create({ name: 'small linux' });
      await api.upload(base.id, await readFile(ensureGuestFiles().disk));
      original = await boot(base.id);
    }, BOOT_MS);

    it(
      'are images from which another machine starts and finds what was written',
      async () => {
        await original.run('echo first > /root/marker; sync');

        host.proxy.received = 0;

        first = await snapshot('first');

        const image: ImageDocument = await api.show(first.image_id);
        expect(image).toMatchObject({
          name: 'first',
          status: 'active',
          disk_format: 'raw',
          size: DISK_BYTES,
          virtual_size: DISK_BYTES,
          os_hash_value: first.os_hash_value,
          image_type: 'snapshot',
          instance_uuid: original.uuid,
          owner: 'p1',
        });
        expect(sha512(await api.download(image.id))).toBe(first.os_hash_value);
        const copy = await boot(image.id);
        expect(await copy.run('cat /root/marker')).toBe('first');
        expect(await original.run('echo still here')).toBe('still here');
        // The holes of the disk are not read.
        expect(host.proxy.received).toBeLessThan(DISK_BYTES / 2);
      },
      BOOT_MS,
    );

    it(
      'read only what changed since the one before, and are whole images all the same',
      async () => {
        await original.run('echo second > /root/second; sync');
        host.proxy.received = 0;

        const format = ['--format', 'qcow2', '--compressed'];
        const second = await snapshot('second', '--parent', first.image_id, ...format);

        expect(await api.show(second.image_id)).toMatchObject({
          status: 'active',
          disk_format: 'qcow2',
          virtual_size: DISK_BYTES,
        });
        const copy = await boot(second.image_id, 'qcow2');
        expect(await copy.run('cat /root/marker /root/second')).toBe('first\nsecond');
        // By a Unix socket nothing is counted.
        expect(host.proxy.received).toBeGreaterThan(mode === 'distributed' ? 0 : -1);
        expect(host.proxy.received).toBeLessThan(8 * MIB);
      },
      BOOT_MS,
    );
  },
  async () => {
    host = await startHost();
    return {
      auth: 'headers',
      env: {
        GLIMPSE_SNAPSHOTS_TRUSTED_PUBLISHERS: '*',
        GLIMPSE_SNAPSHOTS_FILE_ROOTS: host.folder,
        GLIMPSE_SNAPSHOTS_ALLOWED_ADDRESSES: '127.0.0.1',
        GLIMPSE_SNAPSHOTS_ALLOWED_PORTS: String(host.proxy.port),
      },
      // In distributed mode requests come by the same RabbitMQ as everything else.
      envOf: { embedded: { GLIMPSE_SNAPSHOTS_BUS_URL: host.bus.url } },
    };
  },
);

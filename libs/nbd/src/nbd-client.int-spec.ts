import { writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from '@jest/globals';
import { NbdClient } from './nbd-client.js';
import { NbdWorkshop, stop, using } from './real-servers.conformance.js';
import { BASE_ALLOCATION, dirtyBitmapContext } from './metadata-contexts.js';

const MIB = 1_048_576;
const SIZE = 64 * MIB;

const workshop = new NbdWorkshop();
afterAll(() => workshop.close());

const uriOf = (socket: string, name = '') => `nbd+unix:///${name}?socket=${socket}`;

/** The disk as a stream tells it; all that was not told stays 0xff. */
async function contents(client: NbdClient, options: Parameters<NbdClient['readStream']>[0] = {}) {
  const disk = Buffer.alloc(client.size, 0xff);
  let zeroBytes = 0;
  for await (const { offset, length, data } of client.readStream(options)) {
    if (data === null) {
      disk.fill(0, offset, offset + length);
      zeroBytes += length;
    } else data.copy(disk, offset);
  }
  return { disk, zeroBytes };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function expected(): Buffer {
  const disk = Buffer.alloc(SIZE);
  disk.fill(17, MIB, 4 * MIB);
  disk.fill(34, 40 * MIB, 40 * MIB + 65_536);
  return disk;
}

describe('a disk that qemu-nbd exports', () => {
  it.each(['raw', 'qcow2'] as const)('is read whole, without the holes (%s)', async (format) => {
    const path = workshop.disk(format);
    const { socket } = await workshop.onSocket('qemu-nbd', (at) => [
      '-r',
      '-t',
      '-f',
      format,
      '-k',
      at,
      '-x',
      'disk',
      path,
    ]);

    await using(uriOf(socket, 'disk'), {}, async (client) => {
      const { disk, zeroBytes } = await contents(client);

      expect(disk.equals(expected())).toBe(true);
      // A file system and qemu-img have a word on where a raw file has holes.
      expect(zeroBytes).toBeGreaterThan(SIZE - 3.5 * MIB);
      expect(client).toMatchObject({ size: SIZE, isReadOnly: true, contexts: [BASE_ALLOCATION] });
      expect(client.stats).toMatchObject({ dataBytes: SIZE - zeroBytes, connections: 1 });
      expect(client.stats.bytesReceived).toBeLessThan(4 * MIB);
    });
  });

  it('is read at any place, in any length, over several connections', async () => {
    const path = workshop.newPath();
    const bytes = Buffer.alloc(5 * MIB + 513);
    for (let at = 0; at + 4 <= bytes.length; at += 4) bytes.writeUInt32BE(at, at);
    writeFileSync(path, bytes);
    const { socket } = await workshop.onSocket('qemu-nbd', (at) => [
      '-r',
      '-t',
      '-e',
      '8',
      '-f',
      'raw',
      '-k',
      at,
      path,
    ]);

    await using(uriOf(socket), { connections: 4, maxInFlightBytes: 2 * MIB }, async (client) => {
      const disk = bytes.subarray(0, client.size);
      const size = bytes.length;
      const places = [
        [0, 1],
        [511, 2],
        [4_095, MIB + 3],
        [1, 5 * MIB],
        [size - 1, 1],
        [77, 0],
      ] as const;
      const read = await Promise.all(places.map(([offset, length]) => client.read(offset, length)));

      for (const [n, [offset, length]] of places.entries())
        expect(read[n]?.equals(bytes.subarray(offset, offset + length))).toBe(true);
      expect((await contents(client)).disk.subarray(0, disk.length).equals(disk)).toBe(true);
      expect(client.stats.connections).toBe(4);
      await expect(client.read(client.size, 1)).rejects.toThrow(RangeError);
    });
  });

  it('is read only where a dirty bitmap names it, and on from where it stopped', async () => {
    const path = workshop.disk('qcow2');
    workshop.run('qemu-img', 'bitmap', '--add', path, 'since');
    workshop.write(path, 'qcow2', 'write -P 51 2M 128k', 'write -z 3M 64k', 'write -P 68 50M 64k');
    workshop.run('qemu-img', 'bitmap', '--disable', path, 'since');
    const { socket } = await workshop.onSocket('qemu-nbd', (at) => [
      '-r',
      '-t',
      '-f',
      'qcow2',
      '-B',
      'since',
      '-k',
      at,
      path,
    ]);
    const contexts = [BASE_ALLOCATION, dirtyBitmapContext('since')];

    await using(uriOf(socket), { contexts }, async (client) => {
      const dirty = await collect(client.dirtyRanges('since'));
      expect(dirty).toEqual([
        { offset: 2 * MIB, length: 131_072 },
        { offset: 3 * MIB, length: 65_536 },
        { offset: 50 * MIB, length: 65_536 },
      ]);

      const pieces = await collect(client.readStream({ ranges: dirty, from: 2 * MIB + 1_000 }));
      expect(pieces.map(({ offset, length, data }) => [offset, length, data?.[0] ?? null])).toEqual([
        [2 * MIB + 1_000, 130_072, 51],
        [3 * MIB, 65_536, null],
        [50 * MIB, 65_536, 68],
      ]);
      expect(client.stats.dataBytes).toBe(130_072 + 65_536);
    });
  });

  it('says which contexts and exports there are when one is missing', async () => {
    const path = workshop.disk('qcow2');
    const { socket } = await workshop.onSocket('qemu-nbd', (at) => [
      '-r',
      '-t',
      '-f',
      'qcow2',
      '-x',
      'vda',
      '-k',
      at,
      path,
    ]);

    await expect(using(uriOf(socket, 'vdb'), {}, async () => 0)).rejects.toMatchObject({
      code: 'NBD_EXPORT_NOT_FOUND',
      message: 'The NBD server has no export "vdb": it has "vda"',
    });
    const contexts = [dirtyBitmapContext('since')];
    await using(uriOf(socket, 'vda'), { contexts }, async (client) => {
      await expect(collect(client.dirtyRanges('since'))).rejects.toMatchObject({
        code: 'NBD_UNSUPPORTED',
        message: expect.stringContaining('it tells "base:allocation"'),
      });
    });
  });

  it('is lost when the server is killed; what was read before stays', async () => {
    const path = workshop.newPath();
    writeFileSync(path, Buffer.alloc(SIZE, 5));
    const { socket, server } = await workshop.onSocket('qemu-nbd', (at) => [
      '-r',
      '-t',
      '-f',
      'raw',
      '-k',
      at,
      path,
    ]);

    await using(uriOf(socket), {}, async (client) => {
      let end = 0;
      const reading = async () => {
        for await (const { offset, length, data } of client.readStream({ readAheadBytes: 2 * MIB })) {
          expect(offset).toBe(end);
          expect(data?.equals(Buffer.alloc(length, 5))).toBe(true);
          end += length;
          if (end === 4 * MIB) await stop(server);
        }
      };
      await expect(reading()).rejects.toMatchObject({ code: 'NBD_CONNECTION_LOST', isRetryable: true });
      expect(end).toBeGreaterThanOrEqual(4 * MIB);
      await expect(client.read(0, 1)).rejects.toMatchObject({ code: 'NBD_CONNECTION_LOST' });
    });
    await expect(NbdClient.connect(uriOf(socket))).rejects.toMatchObject({
      code: 'NBD_UNREACHABLE',
      isRetryable: true,
    });
  });
});

describe('other servers', () => {
  it('are read without structured replies, and without any options', async () => {
    const path = workshop.disk('raw');
    for (const old of [['--no-sr'], ['--mask-handshake=0']]) {
      const { socket } = await workshop.onSocket('nbdkit', (at) => [
        '-f',
        '-r',
        '-U',
        at,
        ...old,
        'file',
        path,
      ]);
      await using(uriOf(socket), {}, async (client) => {
        expect((await contents(client)).disk.equals(expected())).toBe(true);
        expect(client.contexts).toEqual([]);
      });
    }
  });

  it('get requests as large and as aligned as they want them', async () => {
    const path = workshop.disk('raw');
    const policy = [
      'blocksize-minimum=4096',
      'blocksize-preferred=4096',
      'blocksize-maximum=65536',
      'blocksize-error-policy=error',
    ];
    const { socket } = await workshop.onSocket('nbdkit', (at) => [
      '-f',
      '-r',
      '-U',
      at,
      '--filter=blocksize-policy',
      'file',
      path,
      ...policy,
    ]);

    await using(uriOf(socket), { connections: 2 }, async (client) => {
      expect(client.blockSizes).toEqual({ minimum: 4_096, preferred: 4_096, maximum: 65_536 });
      expect((await client.read(MIB - 5, 100_000)).equals(expected().subarray(MIB - 5, MIB + 99_995))).toBe(
        true,
      );
      expect(
        (await contents(client, { from: 12_345 })).disk.subarray(12_345).equals(expected().subarray(12_345)),
      ).toBe(true);
    });
  });

  it('are given up when they are too slow', async () => {
    const { socket } = await workshop.onSocket('nbdkit', (at) => [
      '-f',
      '-U',
      at,
      '--filter=delay',
      'memory',
      '1M',
      'rdelay=60',
    ]);

    await using(uriOf(socket), { timeouts: { idleMs: 300 } }, async (client) => {
      await expect(client.read(0, 512)).rejects.toMatchObject({ code: 'NBD_TIMEOUT', isRetryable: true });
    });
    await using(uriOf(socket), {}, async (client) => {
      const signal = AbortSignal.timeout(200);
      await expect(
        collect(client.readStream({ signal, ranges: [{ offset: 0, length: 512 }] })),
      ).rejects.toMatchObject({ name: 'TimeoutError' });
    });
  });

  it('have errors of their disks told', async () => {
    const { socket } = await workshop.onSocket('nbdkit', (at) => [
      '-f',
      '-U',
      at,
      '--filter=error',
      'memory',
      '1M',
      'error=EIO',
      'error-pread-rate=100%',
    ]);

    await using(uriOf(socket), {}, async (client) => {
      await expect(client.read(0, 512)).rejects.toMatchObject({
        code: 'NBD_SERVER_FAILED',
        message: expect.stringContaining('EIO'),
      });
    });
  });

  it('that take one connection only are read over it', async () => {
    const path = workshop.disk('raw');
    const { socket } = await workshop.onSocket('qemu-nbd', (at) => [
      '-r',
      '-t',
      '-e',
      '1',
      '-f',
      'raw',
      '-k',
      at,
      path,
    ]);

    await using(uriOf(socket), { connections: 4, timeouts: { connectMs: 2_000 } }, async (client) => {
      expect((await contents(client)).disk.equals(expected())).toBe(true);
      expect(client.stats.connections).toBe(1);
    });
  });

  it('are qemu-storage-daemon too', async () => {
    const path = workshop.disk('qcow2');
    const { socket } = await workshop.onSocket('qemu-storage-daemon', (at) => [
      '--blockdev',
      `driver=qcow2,node-name=disk,file.driver=file,file.filename=${path}`,
      '--nbd-server',
      `addr.type=unix,addr.path=${at}`,
      '--export',
      'type=nbd,id=e0,node-name=disk,name=live,allocation-depth=on',
    ]);

    await using(
      uriOf(socket, 'live'),
      { connections: 4, contexts: [BASE_ALLOCATION, 'qemu:allocation-depth'] },
      async (client) => {
        expect((await contents(client)).disk.equals(expected())).toBe(true);
        expect((await client.blockStatus(MIB, MIB, 'qemu:allocation-depth'))[0]).toMatchObject({
          offset: MIB,
          flags: 1,
        });
      },
    );
  });
});

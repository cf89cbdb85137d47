import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, existsSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProgressMeter } from '@glimpse/pipeline';
import { QemuNbd, waitFor } from '@glimpse/testing';
import { SnapshotBench, hashOfFile, run } from './snapshot-bench.conformance.js';

const MIB = 2 ** 20;
const bench = new SnapshotBench();
const servers: QemuNbd[] = [];

/** How often a disk was looked for again. */
const lookedAgain = ({ warned }: SnapshotBench) => warned.filter((what) => what.includes('looking')).length;

/** Exports the disk; it is ended with the tests. */
async function exported(
  file: string,
  format: 'raw' | 'qcow2',
  more: { bitmap?: string; shared?: number } = {},
): Promise<QemuNbd> {
  const server = new QemuNbd({ file, format, socket: bench.path(`${randomUUID()}.sock`), ...more });
  servers.push(server);
  await server.start();
  return server;
}

beforeAll(async () => {
  await bench.open({
    GLIMPSE_SNAPSHOTS_ALLOWED_PORTS: '',
    GLIMPSE_SNAPSHOTS_ALLOWED_ADDRESSES: '127.0.0.1',
    GLIMPSE_SNAPSHOTS_IDLE_TIMEOUT_MS: '5000',
  });
});
afterAll(async () => {
  for (const server of servers) await server.kill();
  await bench.close();
});

interface Way {
  /** What the server sends is let pass up to here. */
  readonly mostBytes?: number;
  /** So many connections are reset as soon as they are there. */
  readonly broken?: number;
}

/** A way over TCP to a server on a local socket, that counts what the server sends, and does not let all of it pass. */
async function overTcp(
  socket: string,
  { mostBytes = Number.POSITIVE_INFINITY, broken = 0 }: Way = {},
): Promise<{ uri: string; sent: () => number; close: () => void }> {
  let sent = 0;
  let connections = 0;
  const proxy = createServer((near) => {
    near.on('error', () => undefined);
    connections += 1;
    if (connections <= broken) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(socket);
    far.on('data', (data) => {
      sent += data.length;
      if (sent > mostBytes) far.unpipe(near);
    });
    far.on('error', () => undefined);
    near.pipe(far).pipe(near);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  return { uri: `nbd://127.0.0.1:${port}/`, sent: () => sent, close: () => proxy.close() };
}

describe('a snapshot over NBD', () => {
  it('reads what is not zeros, over several connections', async () => {
    const disk = bench.disk('live.qcow2', 'qcow2');
    const server = await exported(disk, 'qcow2');
    bench.logged.length = 0;
    const progress = new ProgressMeter('waiting');

    const { path, end } = await bench.stored(server.uri, { progress });

    expect(await hashOfFile(path)).toBe(await bench.hashOf(disk, 'qcow2'));
    expect(end.data?.size).toBe(16 * MIB);
    expect(statSync(path).blocks * 512).toBeLessThan(5 * MIB);
    expect(bench.logged).toContainEqual(expect.objectContaining({ dataBytes: 3 * MIB + 65_536, resumes: 0 }));
    expect(progress.read()).toMatchObject({ phase: 'storing', bytesDone: 16 * MIB });
  });

  it('reads the bytes of a qcow2 where they are what is exported', async () => {
    const disk = bench.disk('as-bytes.qcow2', 'qcow2');
    const server = await exported(disk, 'raw', { shared: 1 });

    const { path, end } = await bench.stored(server.uri, { format: 'qcow2' });

    expect(await hashOfFile(path)).toBe(await hashOfFile(disk));
    expect(end.data?.virtualSize).toBe(16 * MIB);
  });

  it('reads on where it stopped when the server dies and comes back', async () => {
    const disk = bench.path('long.raw');
    writeFileSync(disk, randomBytes(128 * MIB));
    const server = await exported(disk, 'raw');
    bench.logged.length = 0;
    bench.warned.length = 0;
    const progress = new ProgressMeter('waiting');
    const done = bench.stored(server.uri, { progress });

    await waitFor('a part of the disk', () => progress.read().bytesDone > 8 * MIB);
    await server.kill();
    const before = progress.read();
    await waitFor('it to be looked for in vain', () => lookedAgain(bench) >= 2);
    await server.start();
    const { path } = await done;

    expect(before.phase).toBe('reading');
    expect(await hashOfFile(path)).toBe(await hashOfFile(disk));
    const { dataBytes, resumes } = bench.logged.find((entry) => 'resumes' in entry) ?? {};
    expect(resumes).toBe(1);
    expect(dataBytes).toBeLessThan(165 * MIB);
  });

  it('waits for a server that comes up later than the request', async () => {
    const disk = bench.disk('late.raw');
    const socket = bench.path(`${randomUUID()}.sock`);
    const server = new QemuNbd({ file: disk, format: 'raw', socket });
    servers.push(server);
    bench.warned.length = 0;
    const done = bench.stored(server.uri);

    await waitFor('it to be looked for in vain', () => lookedAgain(bench) >= 2);
    await server.start();
    const { path } = await done;

    expect(await hashOfFile(path)).toBe(await hashOfFile(disk));
  });

  it('tries again when the first connections break before the first byte', async () => {
    const disk = bench.disk('hangs-up.raw');
    const server = await exported(disk, 'raw');
    const way = await overTcp(server.socket, { broken: 2 });

    const { path } = await bench.stored(way.uri);
    way.close();

    expect(await hashOfFile(path)).toBe(await hashOfFile(disk));
  });

  it('gives up a server that never comes, when it was looked for often enough', async () => {
    const patience = new SnapshotBench();
    await patience.open({
      GLIMPSE_SNAPSHOTS_ALLOWED_PORTS: '',
      GLIMPSE_SNAPSHOTS_ALLOWED_ADDRESSES: '127.0.0.1',
      GLIMPSE_SNAPSHOTS_MAX_RESUMES: '2',
    });

    expect(await patience.refusal(`nbd+unix:///?socket=${patience.path('no.sock')}`)).toMatch(
      /does not listen/,
    );
    expect(lookedAgain(patience)).toBe(2);
    expect(await patience.refusal('nbd://127.0.0.1:1/')).toMatch(/ECONNREFUSED/);
    expect(lookedAgain(patience)).toBe(4);
    // However many places the parent is at.
    const location = { url: 'file:///parent', metadata: { store: 'file' } };
    const known = { size: 1, checksum: null, osHashAlgo: 'sha512', osHashValue: '0' };
    const parent = { imageId: 'parent', locations: [location, location], diskFormat: 'raw', known };
    const incremental = { dirtyBitmap: 'since', parent };
    expect(await patience.refusal('nbd://127.0.0.1:1/', { incremental })).toMatch(/ECONNREFUSED/);
    expect(lookedAgain(patience)).toBe(6);
    await patience.close();
  });

  it('gives up at once what can never work', async () => {
    const server = await exported(bench.disk('plain-text.raw'), 'raw');
    const way = await overTcp(server.socket);
    bench.warned.length = 0;

    expect(await bench.refusal(server.uri.replace(':///', ':///other'))).toMatch(/no export "other"/);
    for (const uri of [way.uri.replace('nbd:', 'nbds:'), server.uri.replace('nbd+', 'nbds+')])
      expect(await bench.refusal(uri)).toMatch(/offers no TLS/);
    expect(await bench.refusal('nbd://10.0.0.1/')).toMatch(/nothing is imported from/);
    way.close();

    expect(lookedAgain(bench)).toBe(0);
  });

  it('does not go on with another disk', async () => {
    const disk = bench.path('swapped.raw');
    writeFileSync(disk, randomBytes(128 * MIB));
    const server = await exported(disk, 'raw');
    const progress = new ProgressMeter('waiting');
    const refusal = bench.refusal(server.uri, { progress });

    await waitFor('a part of the disk', () => progress.read().bytesDone > 8 * MIB);
    await server.kill();
    truncateSync(disk, 127 * MIB);
    await server.start();

    expect(await refusal).toMatch(/shows another disk/);
  });

  it('is given up when it takes too long', async () => {
    const slow = new SnapshotBench();
    await slow.open({
      GLIMPSE_SNAPSHOTS_ALLOWED_PORTS: '',
      GLIMPSE_SNAPSHOTS_ALLOWED_ADDRESSES: '127.0.0.1',
      GLIMPSE_SNAPSHOTS_TOTAL_TIMEOUT_MS: '1000',
    });
    const server = await exported(bench.disk('slow.raw'), 'raw');
    const way = await overTcp(server.socket, { mostBytes: 2 * MIB });

    const refusal = await slow.refusal(way.uri);
    way.close();
    await slow.close();

    expect(refusal).toBe('Reading the disk took too long');
  });

  it('ends with its job while the server is away', async () => {
    const disk = bench.path('aborted.raw');
    writeFileSync(disk, randomBytes(128 * MIB));
    const server = await exported(disk, 'raw');
    const progress = new ProgressMeter('waiting');
    const ending = new AbortController();
    const end = bench.snapshot(server.uri, { progress, signal: ending.signal });
    await waitFor('a part of the disk', () => progress.read().bytesDone > 8 * MIB);
    await server.kill();

    ending.abort(new Error('ended'));

    await expect(end).rejects.toThrow('ended');
  });
});

describe('an incremental snapshot', () => {
  /** A disk with a bitmap since the parent was made of it, and what was written since. */
  async function changedDisk(name: string, parentFormat: 'raw' | 'qcow2') {
    const disk = bench.disk(`${name}.qcow2`, 'qcow2');
    const steps = parentFormat === 'raw' ? [{ name: 'convert' as const, diskFormat: 'raw' }] : [];
    const before = await bench.stored(`file://${disk}`, { format: 'qcow2', steps });
    run('qemu-img', 'bitmap', '--add', '-f', 'qcow2', disk, 'since');
    bench.write(disk, 'qcow2', 'write -P 51 2M 64k', 'write -P 52 6M 128k', 'write -z 10M 64k');
    const server = await exported(disk, 'qcow2', { bitmap: 'since' });
    const parent = bench.parentOf(before, parentFormat);
    return { disk, server, before, incremental: { dirtyBitmap: 'since', parent } };
  }

  it.each(['raw', 'qcow2'] as const)(
    'reads what changed since its %s parent, and is whole',
    async (format) => {
      const { disk, server, incremental } = await changedDisk(`changed-${format}`, format);
      bench.logged.length = 0;
      const importId = randomUUID();
      const way = await overTcp(server.socket);

      const { path } = await bench.stored(way.uri, { incremental, importId });
      way.close();

      expect(await hashOfFile(path)).toBe(await bench.hashOf(disk, 'qcow2'));
      const readings = bench.logged.find((entry) => 'dataBytes' in entry);
      // 64k and 128k; what is zeros now is known without being read.
      expect(readings).toMatchObject({ dataBytes: 3 * 65_536 });
      expect(readings?.['bytesReceived']).toBeLessThan(4 * 65_536);
      expect(way.sent()).toBeLessThan(4 * 65_536);
      expect(existsSync(`${bench.scratchOf(importId, 1)}.parent`)).toBe(false);
    },
  );

  it('reads all of what a disk grew by', async () => {
    const { disk, server, incremental } = await changedDisk('grown', 'raw');
    await server.kill();
    run('qemu-img', 'resize', '-q', '-f', 'qcow2', disk, '20M');
    bench.write(disk, 'qcow2', 'write -P 61 17M 1M');
    await server.start();

    const { path, end } = await bench.stored(server.uri, { incremental });

    expect(end.data?.size).toBe(20 * MIB);
    expect(await hashOfFile(path)).toBe(await bench.hashOf(disk, 'qcow2'));
  });

  it('is none of a disk that was shrunk, of a damaged parent, or without the bitmap', async () => {
    const { disk, server, before, incremental } = await changedDisk('bad', 'raw');
    const { parent } = incremental;

    expect(await bench.refusal(server.uri, { incremental: { parent, dirtyBitmap: 'other' } })).toMatch(
      /does not export the dirty bitmap/,
    );
    expect(await bench.refusal(`file://${disk}`, { incremental })).toMatch(/Only a source of NBD/);
    const known = { ...parent.known, osHashAlgo: null, osHashValue: null, checksum: null };
    expect(
      await bench.refusal(server.uri, { incremental: { ...incremental, parent: { ...parent, known } } }),
    ).toMatch(/no hash/);
    writeFileSync(before.path, 'x', { flag: 'r+' });
    expect(await bench.refusal(server.uri, { incremental })).toMatch(/parent image is damaged/);
    appendFileSync(before.path, 'more');
    const size = (parent.known.size ?? 0) + 4;
    const larger = { ...parent, known: { ...parent.known, size } };
    expect(await bench.refusal(server.uri, { incremental: { ...incremental, parent: larger } })).toMatch(
      /disk is smaller/,
    );
  });

  it('takes the parent from the next place where the first has it damaged', async () => {
    const { disk, server, before, incremental } = await changedDisk('second', 'raw');
    const { parent } = incremental;
    const copy = await bench.stored(`file://${disk}`, {
      format: 'qcow2',
      steps: [{ name: 'convert', diskFormat: 'raw' }],
    });
    const good = copy.end.stored.map(({ location }) => location);
    run('cp', '--sparse=always', before.path, copy.path);
    writeFileSync(before.path, 'x', { flag: 'r+' });

    const { path } = await bench.stored(server.uri, {
      incremental: { ...incremental, parent: { ...parent, locations: [...parent.locations, ...good] } },
    });

    expect(await hashOfFile(path)).toBe(await bench.hashOf(disk, 'qcow2'));
  });
});

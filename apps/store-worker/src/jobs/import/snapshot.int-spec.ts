import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProgressMeter } from '@glimpse/pipeline';
import { DataServer, QemuNbd, waitFor } from '@glimpse/testing';
import { SnapshotBench, hashOfFile, run } from './snapshot-bench.conformance.js';

const MIB = 2 ** 20;
const bench = new SnapshotBench();
const servers: QemuNbd[] = [];
let web: DataServer;

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
  web = await DataServer.start();
});
afterAll(async () => {
  for (const server of servers) await server.kill();
  await web.close();
  await bench.close();
});

/** A way over TCP to a server on a local socket, that counts what the server sends, and lets no more than so much of it pass. */
async function overTcp(
  socket: string,
  mostBytes = Number.POSITIVE_INFINITY,
): Promise<{ uri: string; sent: () => number; close: () => void }> {
  let sent = 0;
  const proxy = createServer((near) => {
    const far = connect(socket);
    far.on('data', (data) => {
      sent += data.length;
      if (sent > mostBytes) far.unpipe(near);
    });
    for (const end of [near, far]) end.on('error', () => undefined);
    near.pipe(far).pipe(near);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  return { uri: `nbd://127.0.0.1:${port}/`, sent: () => sent, close: () => proxy.close() };
}

describe('a snapshot of a file', () => {
  it('is what is in it, and takes no more of the disk than there is in it', async () => {
    const disk = bench.disk('plain.raw');

    const { path, end } = await bench.stored(`file://${disk}`);

    expect(await hashOfFile(path)).toBe(await hashOfFile(disk));
    expect(end.data).toMatchObject({ size: 16 * MIB, osHashValue: await hashOfFile(disk) });
    expect(statSync(path).size).toBe(16 * MIB);
    expect(statSync(path).blocks * 512).toBeLessThan(5 * MIB);
  });

  it('becomes a qcow2, compressed or not', async () => {
    const disk = bench.disk('convert.raw');
    bench.write(disk, 'raw', 'write -P 7 11M 4M');
    const steps = (compressed: boolean) => [{ name: 'convert' as const, diskFormat: 'qcow2', compressed }];

    const plain = await bench.stored(`file://${disk}`, { steps: steps(false) });
    const small = await bench.stored(`file://${disk}`, { steps: steps(true) });

    for (const { path, end } of [plain, small]) {
      expect(await bench.hashOf(path, 'qcow2')).toBe(await hashOfFile(disk));
      expect(end.data).toMatchObject({ diskFormat: 'qcow2', virtualSize: 16 * MIB });
    }
    expect(small.end.data?.size).toBeLessThan((plain.end.data?.size ?? 0) / 5);
  });

  it('compresses a qcow2 that was none', async () => {
    const disk = bench.disk('loose.qcow2', 'qcow2');
    const steps = [{ name: 'convert' as const, diskFormat: 'qcow2', compressed: true }];

    const { path, end } = await bench.stored(`file://${disk}`, { format: 'qcow2', steps });

    expect(end.data?.size).toBeLessThan(statSync(disk).size / 3);
    expect(await bench.hashOf(path, 'qcow2')).toBe(await bench.hashOf(disk, 'qcow2'));
  });

  it('does not follow what a qcow2 names', async () => {
    writeFileSync(`${bench.folder}/secret`, randomBytes(MIB));
    const disk = bench.path('backed.qcow2');
    run('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', `${bench.folder}/secret`, disk);
    const steps = [{ name: 'convert' as const, diskFormat: 'raw' }];

    expect(await bench.refusal(`file://${disk}`, { format: 'qcow2', steps })).toMatch(/backing file/i);
  });

  it('stays below the directories that may be read from', async () => {
    bench.disk('target.raw');
    mkdirSync(bench.path('sub'));
    symlinkSync('/etc', bench.path('link'));
    symlinkSync('/etc/passwd', bench.path('passwd'));
    symlinkSync('target.raw', bench.path('inner'));
    run('mkfifo', bench.path('pipe'));
    const { disks } = bench;
    const answers: Record<string, RegExp> = {
      '/etc/passwd': /none of the directories/,
      [disks]: /none of the directories/,
      [`${disks}-other/disk`]: /none of the directories/,
      [`${disks}/../disks/target.raw`]: /not a plain one/,
      [`${disks}/sub/%2e%2e/target.raw`]: /not a plain one/,
      [`${disks}/sub/..%2ftarget.raw`]: /file:\/\/\/path/,
      [`${disks}//target.raw`]: /not a plain one/,
      [`${disks}/target.raw%00.raw`]: /not a plain one/,
      [`${disks}/link/passwd`]: /not there/,
      [`${disks}/passwd`]: /symbolic link/,
      [`${disks}/inner`]: /symbolic link/,
      [`${disks}/sub`]: /neither a file nor a disk/,
      [`${disks}/pipe`]: /neither a file nor a disk/,
      [`${disks}/none`]: /not there/,
      [`${disks}/target.raw/x`]: /not there/,
    };

    for (const [path, reason] of Object.entries(answers))
      expect([path, await bench.refusal(`file://${path}`)]).toEqual([path, expect.stringMatching(reason)]);
    expect(await bench.refusal(`file://other${disks}/target.raw`)).toMatch(/file:\/\/\/path/);
    expect(await bench.refusal(`file://${disks}/target.raw?x`)).toMatch(/file:\/\/\/path/);
    expect(await bench.refusal(`file://localhost${disks}/target.raw`)).toBe('it was stored');
  });

  it('is none where the file changes meanwhile', async () => {
    const change = async (name: string, act: (path: string) => void) => {
      const path = bench.path(name);
      writeFileSync(path, randomBytes(16 * MIB));
      const progress = new ProgressMeter('waiting');
      const bytes = progress.bytes.bind(progress);
      let isChanged = false;
      progress.bytes = (done) => {
        if (!isChanged) act(path);
        isChanged = true;
        bytes(done);
      };
      return bench.refusal(`file://${path}`, { progress });
    };

    expect(await change('shrinking', (path) => truncateSync(path, MIB))).toMatch(/changed while/);
    expect(await change('growing', (path) => appendFileSync(path, 'x'))).toMatch(/changed while/);
    expect(await change('written', (path) => writeFileSync(path, 'x', { flag: 'r+' }))).toMatch(
      /changed while/,
    );
  });
});

describe('a snapshot over HTTP', () => {
  it('is what the server has', async () => {
    const disk = bench.disk('web.raw');

    const { path } = await bench.stored(web.serve('disk.raw', readFileSync(disk)));

    expect(await hashOfFile(path)).toBe(await hashOfFile(disk));
  });

  it('reads nothing from elsewhere', async () => {
    expect(await bench.refusal('http://169.254.169.254/latest')).toMatch(/nothing is imported from/);
    expect(await bench.refusal('rbd:pool/disk')).toMatch(/no rbd driver is configured/);
    expect(await bench.refusal('ftp://127.0.0.1/disk')).toMatch(/none of file, http/);
    expect(await bench.refusal('nbd://10.0.0.1/')).toMatch(/nothing is imported from/);
    expect(await bench.refusal('nbd://0x7f.1/')).toMatch(/neither a name nor a plain address/);
    expect(await bench.refusal('nbd+unix:///?socket=/run/other.sock')).toMatch(/none of the directories/);
    expect(await bench.refusal(`nbd+unix:///?socket=${bench.disk('no.sock')}`)).toMatch(/not a socket/);
  });
});

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
    await waitFor('it to be looked for in vain', () => bench.warned.length >= 2);
    await server.start();
    const { path } = await done;

    expect(before.phase).toBe('reading');
    expect(await hashOfFile(path)).toBe(await hashOfFile(disk));
    const { dataBytes, resumes } = bench.logged.find((entry) => 'resumes' in entry) ?? {};
    expect(resumes).toBe(1);
    expect(dataBytes).toBeLessThan(165 * MIB);
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
    const way = await overTcp(server.socket, 2 * MIB);

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

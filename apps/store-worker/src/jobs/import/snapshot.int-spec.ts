import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProgressMeter } from '@glimpse/pipeline';
import { DataServer } from '@glimpse/testing';
import { SnapshotBench, hashOfFile, run } from './snapshot-bench.conformance.js';

const MIB = 2 ** 20;
const bench = new SnapshotBench();
let web: DataServer;

beforeAll(async () => {
  await bench.open({
    GLIMPSE_SNAPSHOTS_ALLOWED_PORTS: '',
    GLIMPSE_SNAPSHOTS_ALLOWED_ADDRESSES: '127.0.0.1',
    GLIMPSE_SNAPSHOTS_IDLE_TIMEOUT_MS: '5000',
  });
  web = await DataServer.start();
});
afterAll(async () => {
  await web.close();
  await bench.close();
});

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

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  createReadStream,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@glimpse/config';
import { isServiceError } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { ProgressMeter } from '@glimpse/pipeline';
import { DiskConverter } from './disk-converter.js';
import { LimitedTools } from './limited-tool.js';
import { QemuImg } from './qemu-img.js';
import { ScratchSpace } from './scratch-space.js';

const MIB = 2 ** 20;
const folder = mkdtempSync(join(tmpdir(), 'glimpse-convert-'));
const scratchDirectory = join(folder, 'scratch');
const logger = createLogger('test', { level: 'silent' });
const raw = join(folder, 'disk.raw');

const qemuImg = (...args: string[]) => execFileSync('qemu-img', args, { encoding: 'utf8' });
/** The disk in a format of `qemu-img`'s. */
function diskAs(format: string, options: string[] = []): string {
  const path = join(folder, `disk.${format}${options.join('-').replaceAll(/[^a-z]/gi, '')}`);
  qemuImg('convert', '-f', 'raw', '-O', format, ...options, raw, path);
  return path;
}

/** A small qcow2 that has so many snapshots, whose names make six characters of JSON of each byte. */
function aQcow2WithSnapshots(count: number): Buffer {
  const CLUSTER = 65_536;
  const snapshots = Array.from({ length: count }, (_, index) => {
    const id = Buffer.from(String(index));
    const name = Buffer.alloc(250, 1);
    const entry = Buffer.alloc(Math.ceil((64 + id.length + name.length) / 8) * 8);
    entry.writeBigUInt64BE(BigInt(3 * CLUSTER), 0);
    entry.writeUInt32BE(1, 8);
    entry.writeUInt16BE(id.length, 12);
    entry.writeUInt16BE(name.length, 14);
    entry.writeUInt32BE(24, 36);
    entry.writeBigUInt64BE(BigInt(MIB), 48);
    Buffer.concat([id, name]).copy(entry, 64);
    return entry;
  });
  const head = Buffer.alloc(5 * CLUSTER);
  head.write('QFI\xfb', 'latin1');
  head.writeUInt32BE(3, 4);
  head.writeUInt32BE(16, 20);
  head.writeBigUInt64BE(BigInt(MIB), 24);
  head.writeUInt32BE(1, 36);
  head.writeBigUInt64BE(BigInt(3 * CLUSTER), 40);
  head.writeBigUInt64BE(BigInt(CLUSTER), 48);
  head.writeUInt32BE(1, 56);
  head.writeUInt32BE(count, 60);
  head.writeBigUInt64BE(BigInt(5 * CLUSTER), 64);
  head.writeUInt32BE(4, 96);
  head.writeUInt32BE(104, 100);
  head.writeBigUInt64BE(BigInt(2 * CLUSTER), CLUSTER);
  const table = Buffer.concat(snapshots);
  const padding = Buffer.alloc((CLUSTER - (table.length % CLUSTER)) % CLUSTER);
  return Buffer.concat([head, table, padding]);
}

beforeAll(() => {
  writeFileSync(raw, Buffer.concat([randomBytes(3 * MIB), Buffer.alloc(5 * MIB), randomBytes(MIB)]));
  truncateSync(raw, 32 * MIB);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Conversion {
  readonly path: string;
  readonly from: string;
  readonly to?: string;
  readonly sizeCap?: number;
  readonly maxBytes?: number;
  readonly timeoutMs?: number;
  readonly memory?: number;
  readonly signal?: AbortSignal;
}

async function convert({ path, from, to = 'raw', sizeCap = 2 ** 40, maxBytes = 0, ...more }: Conversion) {
  const config = loadConfig({});
  const { timeoutMs = 60_000, memory = config.import.conversion.memory } = more;
  const scratch = new ScratchSpace({ directory: scratchDirectory, maxBytes, maxAgeMs: 60_000 }, logger);
  const converter = new DiskConverter(new QemuImg(new LimitedTools()), {
    conversion: { ...config.import.conversion, timeoutMs, memory },
    limits: config.limits,
    formats: config.formats,
  });
  const scratchFolder = await scratch.open(`attempt-${randomBytes(4).toString('hex')}`);
  const progress = new ProgressMeter('waiting');
  const chunks = createReadStream(path);
  const { signal = new AbortController().signal } = more;
  try {
    const request = { chunks, from, to, folder: scratchFolder, sizeCap, signal, progress };
    const converted = await converter.convert(request);
    const same = join(folder, 'result');
    execFileSync('cp', [converted.path, same]);
    return { ...converted, path: same, progress: progress.read() };
  } finally {
    await scratchFolder.remove();
  }
}

const problem = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'none',
    (error: unknown) => (isServiceError(error) ? `${error.code}: ${error.message}` : String(error)),
  );

describe('DiskConverter', () => {
  it.each([
    ['qcow2', 'qcow2', ['-c']],
    ['vmdk', 'vmdk', []],
    ['vmdk', 'vmdk', ['-o', 'subformat=streamOptimized']],
    ['vhd', 'vpc', ['-o', 'force_size=on']],
    ['vhdx', 'vhdx', []],
    ['vdi', 'vdi', []],
  ])('makes raw of %s as qemu-img does (%s %j)', async (from, format, options) => {
    const path = diskAs(format, options);

    const { path: result, size, progress } = await convert({ path, from });

    expect(size).toBe(32 * MIB);
    expect(qemuImg('compare', '-f', 'raw', '-F', 'raw', raw, result)).toContain('identical');
    expect(progress).toMatchObject({ phase: 'converting', bytesDone: 32 * MIB, bytesTotal: 32 * MIB });
    expect(readdirSync(scratchDirectory)).toEqual([]);
  });

  it.each(['qcow2', 'vmdk'])('makes %s of raw', async (to) => {
    const { path: result } = await convert({ path: raw, from: 'raw', to });

    expect(qemuImg('compare', '-f', 'raw', '-F', to, raw, result)).toContain('identical');
  });

  it('makes qcow2 of a disk that is declared by its partition table', async () => {
    const path = join(folder, 'partitioned.raw');
    const sector = Buffer.alloc(512);
    sector[450] = 0x83;
    sector.writeUInt16LE(0xaa55, 510);
    writeFileSync(path, Buffer.concat([sector, randomBytes(MIB)]));

    const { path: result } = await convert({ path, from: 'gpt', to: 'qcow2' });

    expect(qemuImg('compare', '-f', 'raw', '-F', 'qcow2', path, result)).toContain('identical');
  });

  it.each([
    ['what is something else', 'qcow2', () => raw, /^IMAGE_FORMAT_REFUSED/],
    ['what calls itself raw and is not', 'raw', () => diskAs('vdi'), /^IMAGE_FORMAT_REFUSED/],
    ['what is no disk', 'aki', () => raw, /^CONVERSION_FAILED: Images of disk_format aki/],
    ['what qemu-img is not shown', 'ploop', () => raw, /^CONVERSION_FAILED: Images of disk_format ploop/],
    [
      'what says too much of itself',
      'qcow2',
      () => {
        const path = join(folder, 'snapshots.qcow2');
        writeFileSync(path, aQcow2WithSnapshots(5_000));
        return path;
      },
      /^CONVERSION_FAILED: The qcow2 image has too much to say/,
    ],
    [
      'what has a file behind it',
      'qcow2',
      () => {
        const path = join(folder, 'backed.qcow2');
        qemuImg('create', '-f', 'qcow2', '-b', '/etc/passwd', '-F', 'raw', path);
        return path;
      },
      /^IMAGE_FORMAT_REFUSED/,
    ],
    ...['qcow2', 'vmdk', 'vhdx'].map(
      (format) =>
        [
          `a ${format} that is cut off`,
          format,
          () => {
            const path = diskAs(format);
            truncateSync(path, Math.floor(statSync(path).size * 0.6));
            return path;
          },
          /^CONVERSION_FAILED/,
        ] as const,
    ),
  ])('refuses %s', async (_what, from, make, expected) => {
    expect(await problem(convert({ path: make(), from, to: from === 'raw' ? 'qcow2' : 'raw' }))).toMatch(
      expected,
    );
    expect(readdirSync(scratchDirectory)).toEqual([]);
  });

  it('refuses a disk of more bytes than the limits allow, before it is converted', async () => {
    const path = join(folder, 'huge.qcow2');
    qemuImg('create', '-f', 'qcow2', path, '1P');

    for (const to of ['raw', 'vmdk'])
      expect(await problem(convert({ path, from: 'qcow2', to }))).toMatch(/^QUOTA_EXCEEDED: The disk/);
    expect(await problem(convert({ path: diskAs('qcow2'), from: 'qcow2', sizeCap: 31 * MIB }))).toMatch(
      /^QUOTA_EXCEEDED/,
    );
  });

  it('refuses what becomes larger than the project may store', async () => {
    const outcome = await problem(convert({ path: raw, from: 'raw', to: 'qcow2', sizeCap: 2 * MIB }));

    expect(outcome).toMatch(/^QUOTA_EXCEEDED/);
  });

  it('keeps to the scratch space', async () => {
    const path = diskAs('qcow2');

    expect(await problem(convert({ path, from: 'qcow2', maxBytes: 20 * MIB }))).toMatch(/^QUOTA_EXCEEDED/);
    expect(await problem(convert({ path, from: 'qcow2', maxBytes: 40 * MIB }))).toBe('none');
  });

  it('ends a tool that takes too long, and one that takes too much', async () => {
    const path = join(folder, 'long.raw');
    writeFileSync(path, randomBytes(MIB));
    truncateSync(path, 400 * MIB);

    expect(await problem(convert({ path, from: 'raw', to: 'vmdk', timeoutMs: 1 }))).toContain(
      'took too long',
    );
    expect(await problem(convert({ path, from: 'raw', to: 'qcow2', memory: 30 * MIB }))).toMatch(
      /^CONVERSION_FAILED/,
    );
  });

  it('ends with its signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));

    expect(await problem(convert({ path: diskAs('qcow2'), from: 'qcow2', signal }))).toBe('Error: enough');
    expect(readdirSync(scratchDirectory)).toEqual([]);
  });

  it('is not given media and partition tables to make raw of', () => {
    const config = loadConfig({});
    const converter = new DiskConverter(new QemuImg(new LimitedTools()), {
      conversion: config.import.conversion,
      limits: config.limits,
      formats: config.formats,
    });

    expect(converter.isNeeded('iso', 'raw')).toBe(false);
    expect(converter.isNeeded('gpt', 'raw')).toBe(false);
    expect(converter.isNeeded('raw', 'raw')).toBe(false);
    expect(converter.isNeeded('vhd', 'raw')).toBe(true);
  });
});

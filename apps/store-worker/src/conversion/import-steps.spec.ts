import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@glimpse/config';
import { type ImportStep, attemptIdOf, isServiceError } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { ProgressMeter } from '@glimpse/pipeline';
import { anArchiveOf, anOvfDescriptor } from '@glimpse/testing';
import { DiskConverter } from './disk-converter.js';
import { ImportSteps, type StepsRequest } from './import-steps.js';
import { LimitedTools } from './limited-tool.js';
import { QemuImg } from './qemu-img.js';
import { ScratchSpace } from './scratch-space.js';

const CAP = 1_000_000;
const logger = createLogger('test', { level: 'silent' });
const DISK = randomBytes(100_000);
const appliance = anArchiveOf([
  { name: 'vm.ovf', data: anOvfDescriptor(['disk.vmdk']) },
  { name: 'disk.vmdk', data: DISK },
]);

describe('ImportSteps', () => {
  let directory: string;
  beforeAll(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'glimpse-steps-')), 'scratch');
  });
  afterAll(() => rmSync(join(directory, '..'), { recursive: true }));

  const stepsWith = () => {
    const { import: imports, limits, formats } = loadConfig({});
    const bounds = { ...limits, imageSizeCap: CAP };
    const tools = new LimitedTools();
    const { conversion, decompression } = imports;
    return new ImportSteps(
      new ScratchSpace({ directory, maxBytes: 0, maxAgeMs: 60_000 }, logger),
      tools,
      new DiskConverter(new QemuImg(tools), { conversion, limits: bounds, formats }),
      { decompression, limits: bounds },
    );
  };

  async function run(
    steps: readonly ImportStep['name'][],
    data: Readable,
    more: Partial<StepsRequest['source'] & Pick<StepsRequest, 'diskFormat' | 'containerFormat'>> = {},
  ): Promise<Buffer> {
    const { diskFormat = 'raw', containerFormat = 'bare', size, digests } = more;
    const prepared = await stepsWith().prepare({
      source: { data, size, ...(digests === undefined ? {} : { digests }) },
      steps: steps.map((name) => (name === 'convert' ? { name, diskFormat: 'qcow2' } : { name })),
      diskFormat,
      containerFormat,
      attemptId: attemptIdOf(randomUUID(), 1),
      sizeCap: CAP,
      signal: new AbortController().signal,
      progress: new ProgressMeter('waiting'),
    });
    try {
      return Buffer.concat(await prepared.data.toArray());
    } finally {
      await prepared.close();
    }
  }
  const codeOf = (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'none',
      (error: unknown) => (isServiceError(error) ? error.code : String(error)),
    );

  it.each<[string, ImportStep['name'], Buffer, string]>([
    ['an appliance', 'unpack-ova', appliance, 'ova'],
    ['compressed data', 'decompress', gzipSync(DISK), 'bare'],
  ])('compares %s with its hash and size, as they came', async (_what, step, data, containerFormat) => {
    const digests = (of: Buffer) => new Map([['sha256', createHash('sha256').update(of).digest('hex')]]);
    const attempt = (more: object) => run([step], Readable.from([data]), { containerFormat, ...more });

    expect((await attempt({ size: data.length, digests: digests(data) })).equals(DISK)).toBe(true);
    expect(await codeOf(attempt({ digests: digests(DISK) }))).toBe('TRANSFER_ABORTED');
    expect(await codeOf(attempt({ size: data.length + 1 }))).toBe('IMAGE_SIZE_MISMATCH');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('takes no more than an image may have, whatever it comes to', async () => {
    let sent = 0;
    const endless = Readable.from(
      (function* () {
        for (; ; sent += 65_536) yield Buffer.alloc(65_536);
      })(),
    );

    expect(await codeOf(run(['convert'], endless))).toBe('QUOTA_EXCEEDED');
    expect(sent).toBeLessThan(2 * CAP);
    expect(await codeOf(run(['convert'], Readable.from([DISK]), { size: CAP + 1 }))).toBe('QUOTA_EXCEEDED');
    expect(existsSync(directory) ? readdirSync(directory) : []).toEqual([]);
    endless.destroy();
  });
});

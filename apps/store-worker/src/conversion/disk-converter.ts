import { type FileHandle, constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '@glimpse/config';
import { type ProgressReporter, ServiceError } from '@glimpse/contracts';
import type { FormatRules } from '@glimpse/inspector';
import { dataRuns, writeFully } from '@glimpse/stores';
import { exactGuard } from './prepared-data-guard.js';
import { type QemuImg, isConvertible } from './qemu-img.js';
import { type ScratchFolder, scratchFull } from './scratch-space.js';

/** What a compressing or sparse target may need beyond the data itself, for its tables. */
const OVERHEAD = 1 / 64;
const LEAST_OVERHEAD = 16 * 2 ** 20;

/** What is to become of a disk. */
export interface ConversionRequest {
  readonly chunks: AsyncIterable<Buffer>;
  /** What its owner declared; the content must be it. */
  readonly from: string;
  readonly to: string;
  /** Of qcow2: its clusters are compressed. */
  readonly compressed?: boolean;
  readonly folder: ScratchFolder;
  /** Bytes that the outcome may have. */
  readonly sizeCap: number;
  readonly signal: AbortSignal;
  readonly progress: ProgressReporter;
}

/** A file with a converted disk, as large as it says. */
export interface ConvertedDisk {
  readonly path: string;
  readonly size: number;
}

/** Converts disks, through files in the scratch space: the tool for it reads and writes at any place. */
export class DiskConverter {
  constructor(
    private readonly qemu: QemuImg,
    private readonly config: {
      readonly conversion: Config['import']['conversion'];
      readonly limits: Pick<Config['limits'], 'imageSizeCap'>;
      readonly formats: FormatRules;
    },
  ) {}

  /** Whether there is something to convert; what `qemu-img` knows nothing of is a `CONVERSION_FAILED` later. */
  isNeeded(from: string, to: string, compressed = false): boolean {
    // Media have no other format, and what has a partition table is raw.
    return (from !== to || compressed) && from !== 'iso' && !(from === 'gpt' && to === 'raw');
  }

  /**
   * Codes: those of a refused image where the content is not what was declared or not safe, CONVERSION_FAILED, QUOTA_EXCEEDED,
   * SCRATCH_FULL.
   */
  async convert(request: ConversionRequest): Promise<ConvertedDisk> {
    const { from, to, compressed, folder, signal, progress } = request;
    if (!isConvertible(from))
      throw new ServiceError(
        'CONVERSION_FAILED',
        `Images of disk_format ${from} cannot be converted to ${to}`,
      );
    const source = { path: join(folder.path, 'source'), format: from };
    const written = await this.spool(request, source.path);
    const { virtualSize, isDirty } = await this.qemu.inspect(source, { directory: folder.path, signal });
    const fileBytes = this.boundOf(virtualSize, request);
    const { timeoutMs, cpuSeconds, memory: memoryBytes } = this.config.conversion;
    const limits = { timeoutMs, cpuSeconds, memoryBytes, fileBytes };
    const options = { limits, directory: folder.path, signal };
    if (from !== 'raw' && !isDirty) await this.qemu.assertWhole(source, options);
    // What is full of data grows to all of it, whatever it looks like now.
    folder.reserve(fileBytes);
    progress.phase('converting', virtualSize);
    const target = { path: join(folder.path, 'target'), format: to };
    await this.qemu.convert(source, target, {
      ...options,
      ...(compressed === undefined ? {} : { compressed }),
      onProgress: (percent) => progress.bytes(Math.floor((virtualSize * percent) / 100)),
    });
    await truncateAway(source.path);
    folder.release(written);
    return { path: target.path, size: await sizeOf(target.path) };
  }

  /** Largest file that may come of the disk. A disk beyond all limits is not even begun with. */
  private boundOf(virtualSize: number, { to, sizeCap }: ConversionRequest): number {
    const { imageSizeCap } = this.config.limits;
    const cap = to === 'raw' ? Math.min(sizeCap, imageSizeCap) : imageSizeCap;
    if (virtualSize > cap)
      throw new ServiceError(
        'QUOTA_EXCEEDED',
        `The disk in the image has ${virtualSize} bytes, more than the limit of ${cap} bytes`,
      );
    if (to === 'raw') return virtualSize;
    const full = virtualSize + Math.max(LEAST_OVERHEAD, Math.ceil(virtualSize * OVERHEAD));
    return Math.min(full, sizeCap);
  }

  /** Writes the data to the disk, but for its zeros, and inspects it on the way; resolves with the bytes that were written. */
  private async spool({ chunks, from, folder }: ConversionRequest, path: string): Promise<number> {
    const inspector = exactGuard(from, this.config.formats);
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      let size = 0;
      let written = 0;
      for await (const chunk of chunks) {
        inspector.accept(chunk);
        for (const { start, end } of dataRuns(chunk, size)) {
          folder.reserve(end - start);
          written += end - start;
          await write(file, chunk.subarray(start, end), size + start);
        }
        size += chunk.length;
      }
      inspector.finish();
      await file.truncate(size);
      return written;
    } finally {
      await file.close();
    }
  }
}

async function write(file: FileHandle, chunk: Buffer, position: number): Promise<void> {
  try {
    await writeFully(file, [chunk], position);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code) ? scratchFull(error) : error;
  }
}

async function truncateAway(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.truncate(0);
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable, addAbortSignal } from 'node:stream';
import type { Config } from '@glimpse/config';
import { type ImportStep, type ProgressReporter, ServiceError } from '@glimpse/contracts';
import type { OpenedSource } from '../jobs/import/opened-source.js';
import { MAGIC_BYTES, compressionOf, decompressed } from './compressed-data.js';
import type { DiskConverter } from './disk-converter.js';
import type { LimitedTools } from './limited-tool.js';
import { unpackOva } from './ova-disk.js';
import { PeekedChunks } from './peeked-chunks.js';
import type { ScratchFolder, ScratchSpace } from './scratch-space.js';

/** Data that is ready to be stored. */
export interface PreparedData extends OpenedSource {
  readonly diskFormat: string;
  readonly containerFormat: string;
  /** Whether it tells by itself how far the reading has come. */
  readonly reportsProgress: boolean;
  /** Ends what is still at work, and removes what was written on the way. */
  readonly close: () => Promise<void>;
}

export interface StepsRequest {
  readonly source: OpenedSource;
  readonly steps: readonly ImportStep[];
  readonly diskFormat: string;
  readonly containerFormat: string;
  /** Names what is written on the way. */
  readonly attemptId: string;
  /** Bytes that may be stored in the end. */
  readonly sizeCap: number;
  readonly signal: AbortSignal;
  readonly progress: ProgressReporter;
}

/** What the data is after the steps so far. */
interface Flow {
  readonly chunks: AsyncIterable<Buffer>;
  readonly diskFormat: string;
  readonly containerFormat: string;
  /** Bytes, where they lie in a file by now. */
  readonly size?: number;
}

/** Bytes read at once from a converted file. */
const READ_BYTES = 2 ** 20;

/** Does to the data of an import what is switched on, on its way into the stores. */
export class ImportSteps {
  constructor(
    private readonly scratch: ScratchSpace,
    private readonly tools: LimitedTools,
    private readonly converter: DiskConverter,
    private readonly config: {
      readonly decompression: Config['import']['decompression'];
      readonly limits: Pick<Config['limits'], 'imageSizeCap'>;
    },
  ) {}

  /** Removes what another attempt left on this machine, whose worker is dead. */
  removeLeftovers(attemptId: string): Promise<void> {
    return this.scratch.removeLeftovers(attemptId);
  }

  /**
   * The data as it is to be stored. Without steps it is the source itself; else the stream's errors are those of the steps:
   * CONVERSION_FAILED, QUOTA_EXCEEDED, SCRATCH_FULL.
   */
  async prepare(request: StepsRequest): Promise<PreparedData> {
    const { source, steps, diskFormat, containerFormat } = request;
    if (steps.length === 0 || containerFormat === 'compressed')
      return {
        ...source,
        diskFormat,
        containerFormat,
        reportsProgress: false,
        close: async () => undefined,
      };
    const folder = await this.scratch.open(request.attemptId);
    try {
      const { imageSizeCap } = this.config.limits;
      let flow: Flow = { chunks: received(request, imageSizeCap), diskFormat, containerFormat };
      for (const step of steps) flow = await this.run(step, flow, folder, request);
      const { chunks, size, ...formats } = flow;
      return {
        data: chunks instanceof Readable ? chunks : Readable.from(chunks, { objectMode: false }),
        size,
        ...formats,
        reportsProgress: size === undefined,
        close: () => folder.remove(),
      };
    } catch (error) {
      await folder.remove();
      throw error;
    }
  }

  private async run(
    step: ImportStep,
    flow: Flow,
    folder: ScratchFolder,
    request: StepsRequest,
  ): Promise<Flow> {
    if (step.name === 'decompress')
      return { ...flow, chunks: await this.decompress(flow.chunks, folder, request) };
    if (step.name === 'unpack-ova')
      return flow.containerFormat === 'ova' ? this.unpack(flow, folder, request) : flow;
    const isNeeded =
      flow.containerFormat === 'bare' &&
      this.converter.isNeeded(flow.diskFormat, step.diskFormat, step.compressed);
    return isNeeded ? this.convert(step, flow, folder, request) : flow;
  }

  private async decompress(
    chunks: AsyncIterable<Buffer>,
    folder: ScratchFolder,
    { signal, progress, source }: StepsRequest,
  ): Promise<AsyncIterable<Buffer>> {
    const peeked = new PeekedChunks(chunks);
    const compression = compressionOf(await peeked.peek(MAGIC_BYTES));
    if (compression === undefined) return peeked;
    progress.phase('unpacking', source.size);
    return decompressed(compression, peeked, {
      tools: this.tools,
      directory: folder.path,
      signal,
      maxBytes: this.config.limits.imageSizeCap,
      maxRatio: this.config.decompression.maxRatio,
    });
  }

  private async unpack(flow: Flow, folder: ScratchFolder, request: StepsRequest): Promise<Flow> {
    request.progress.phase('unpacking', request.source.size);
    const { chunks, diskFormat, isGzipped } = await unpackOva(flow.chunks);
    return {
      chunks: isGzipped ? await this.decompress(chunks, folder, request) : chunks,
      diskFormat,
      containerFormat: 'bare',
    };
  }

  private async convert(
    { diskFormat: to, compressed }: Extract<ImportStep, { name: 'convert' }>,
    flow: Flow,
    folder: ScratchFolder,
    request: StepsRequest,
  ): Promise<Flow> {
    const { sizeCap, signal, progress } = request;
    const { chunks, diskFormat: from } = flow;
    const file = await this.converter.convert({
      chunks,
      from,
      to,
      ...(compressed === undefined ? {} : { compressed }),
      folder,
      sizeCap,
      signal,
      progress,
    });
    progress.phase('storing', file.size);
    return {
      chunks: createReadStream(file.path, { highWaterMark: READ_BYTES }),
      diskFormat: to,
      containerFormat: 'bare',
      size: file.size,
    };
  }
}

/**
 * What comes from the source, which must be all of it and what it is known to be. What becomes of it may be small, but the
 * scratch space has to hold what it is made of: that is bounded as well.
 */
async function* received(
  { source, signal, progress }: StepsRequest,
  maxBytes: number,
): AsyncGenerator<Buffer> {
  const { data, size, digests } = source;
  const tooLarge = () =>
    new ServiceError('QUOTA_EXCEEDED', `The image is larger than the limit of ${maxBytes} bytes`);
  if ((size ?? 0) > maxBytes) throw tooLarge();
  const hashes = [...(digests?.keys() ?? [])].map((name) => [name, createHash(name)] as const);
  let bytes = 0;
  // Else it would not be noticed while nothing comes.
  for await (const chunk of addAbortSignal(signal, data).iterator({ destroyOnReturn: false })) {
    const piece = chunk as Buffer;
    bytes += piece.length;
    if (bytes > maxBytes) throw tooLarge();
    for (const [, hash] of hashes) hash.update(piece);
    progress.bytes(bytes);
    yield piece;
  }
  if (size !== undefined && size !== bytes)
    throw new ServiceError(
      'IMAGE_SIZE_MISMATCH',
      `Size mismatch: expected ${size} bytes, got ${bytes} bytes`,
    );
  for (const [name, hash] of hashes)
    if (hash.digest('hex') !== digests?.get(name))
      throw new ServiceError('TRANSFER_ABORTED', 'The data is not what its hash says: it is damaged');
}

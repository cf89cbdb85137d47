import { createHash, getHashes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type Readable, addAbortSignal } from 'node:stream';
import { type ImageLocation, type ImportSource, ServiceError } from '@glimpse/contracts';
import type { StoreRegistry } from '@glimpse/stores';
import type { DiskConverter } from '../../conversion/disk-converter.js';
import type { ScratchSpace } from '../../conversion/scratch-space.js';
import { failed } from './failed.js';
import type { ReadAttempt } from './opened-source.js';
import { digestsOf } from './known-digests.js';
import { CHUNK_BYTES } from './disk-chunks.js';

type Incremental = NonNullable<Extract<ImportSource, { kind: 'snapshot' }>['incremental']>;
type Parent = Incremental['parent'];

/** The disk in the image that an incremental snapshot is based on. */
export interface ParentDisk {
  /** All of it. They count only when they have come to their end: until then the data may be a damaged one's. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Bytes of the disk. */
  readonly size: number;
  close(): Promise<void>;
}

/** Opens images that incremental snapshots are based on. */
export class SnapshotParents {
  constructor(
    private readonly stores: Pick<StoreRegistry, 'resolve'>,
    private readonly scratch: Pick<ScratchSpace, 'open'>,
    private readonly converter: Pick<DiskConverter, 'convert'>,
  ) {}

  /**
   * Opens the parent where it lies there. Codes: those of the store, TRANSFER_ABORTED where the data is not what the image is
   * known to be, and for another format than raw those of {@link DiskConverter.convert}.
   */
  async open(parent: Parent, location: ImageLocation, attempt: ReadAttempt): Promise<ParentDisk> {
    const { size } = parent.known;
    const [digest] = digestsOf(parent.known);
    if (digest === undefined || size === null || !getHashes().includes(digest[0]))
      throw failed('The parent image has no hash that its data can be verified by');
    const { driver, location: place } = this.stores.resolve(location);
    const data = await driver.read(place, { signal: attempt.signal });
    // Who reads it learns of its failure; one that comes before would end the process.
    data.on('error', () => undefined);
    const close = async () => void data.destroy();
    const chunks = verified(data, { digest, size }, attempt);
    if (parent.diskFormat === 'raw') return { chunks, size, close };
    try {
      return await this.expand(parent, chunks, attempt);
    } finally {
      await close();
    }
  }

  /** What is in the image, as a file: its disk is not in order in it. */
  private async expand(
    { diskFormat: from, known }: Parent,
    chunks: AsyncGenerator<Buffer>,
    { attemptId, signal, progress }: ReadAttempt,
  ): Promise<ParentDisk> {
    const folder = await this.scratch.open(attemptId, 'parent');
    try {
      progress.phase('reading', known.size);
      const { path, size } = await this.converter.convert({
        chunks: counted(chunks, progress),
        from,
        to: 'raw',
        folder,
        // The disk may be larger than what is stored of it in the end.
        sizeCap: Number.MAX_SAFE_INTEGER,
        signal,
        progress,
      });
      const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
      return {
        chunks: file,
        size,
        close: async () => {
          file.destroy();
          await folder.remove();
        },
      };
    } catch (error) {
      await folder.remove();
      throw error;
    }
  }
}

async function* counted(
  chunks: AsyncIterable<Buffer>,
  progress: ReadAttempt['progress'],
): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    progress.bytes(bytes);
    yield chunk;
  }
}

async function* verified(
  data: Readable,
  known: { readonly digest: readonly [string, string]; readonly size: number },
  { signal }: ReadAttempt,
): AsyncGenerator<Buffer> {
  const [algorithm, value] = known.digest;
  const hash = createHash(algorithm);
  let bytes = 0;
  for await (const chunk of addAbortSignal(signal, data)) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    yield chunk as Buffer;
  }
  if (bytes !== known.size || hash.digest('hex') !== value)
    throw new ServiceError(
      'TRANSFER_ABORTED',
      'The data of the parent image is damaged: its hash is not its own',
    );
}

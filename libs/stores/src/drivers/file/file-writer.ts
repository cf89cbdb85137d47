import type { FileHandle } from 'node:fs/promises';
import type { EarlySync } from './early-sync.js';
import { writeFully } from '../../write-fully.js';
import { dataRuns } from './zero-runs.js';

/** Small chunks are gathered until so many bytes are written at once. */
const GATHER_BYTES = 1_048_576;
/**
 * So often the disk is asked to take what was written, while more comes: left to the end, the upload of a gibibyte
 * stood still for a fifth of its time (docs/benchmarks.md).
 */
const SYNC_EVERY_BYTES = 67_108_864;
/** The system call takes no more buffers than this at once (IOV_MAX). */
const MAX_GATHERED_CHUNKS = 1_024;

/** Writes a stream of chunks to a file from its beginning, in large pieces, with holes where it may be thin. */
export class FileWriter {
  private gathered: Buffer[] = [];
  private gatheredBytes = 0;
  private position = 0;
  private syncedUpTo = 0;
  /** The sync that is under way; resolves with its failure, which the file system tells only once. */
  private syncing: Promise<unknown> | undefined;

  constructor(
    private readonly file: FileHandle,
    private readonly isThin: boolean,
    private readonly earlySync: EarlySync,
    private readonly releaseChunk: ((chunk: Buffer) => void) | undefined,
  ) {}

  /** Bytes accepted so far. */
  get size(): number {
    return this.position + this.gatheredBytes;
  }

  async write(chunk: Buffer): Promise<void> {
    this.gathered.push(chunk);
    this.gatheredBytes += chunk.length;
    if (this.gatheredBytes >= GATHER_BYTES || this.gathered.length === MAX_GATHERED_CHUNKS)
      await this.flush();
  }

  /** Resolves when everything is on the disk. */
  async finish(): Promise<void> {
    await this.flush();
    if (this.isThin) await this.file.truncate(this.position);
    await this.endSync();
    await this.file.datasync();
  }

  private async syncSometimes(): Promise<void> {
    if (this.position - this.syncedUpTo < SYNC_EVERY_BYTES) return;
    await this.endSync();
    this.syncing = this.earlySync.start(this.file);
    this.syncedUpTo = this.position;
  }

  private async endSync(): Promise<void> {
    const failure = await this.syncing;
    this.syncing = undefined;
    if (failure !== undefined) throw failure;
  }

  private async flush(): Promise<void> {
    const chunks = this.gathered;
    const size = this.gatheredBytes;
    this.gathered = [];
    this.gatheredBytes = 0;
    if (this.isThin) await this.writeData(chunks);
    else await writeFully(this.file, chunks, this.position);
    this.position += size;
    for (const chunk of chunks) this.releaseChunk?.(chunk);
    await this.syncSometimes();
  }

  private async writeData(chunks: Buffer[]): Promise<void> {
    let at = this.position;
    for (const chunk of chunks) {
      for (const run of dataRuns(chunk, at))
        await writeFully(this.file, [chunk.subarray(run.start, run.end)], at + run.start);
      at += chunk.length;
    }
  }
}

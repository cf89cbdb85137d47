import type { FileHandle } from 'node:fs/promises';
import { dataRuns } from './zero-runs.js';

/** Small chunks are gathered until so many bytes are written at once. */
const GATHER_BYTES = 1_048_576;
/** The system call takes no more buffers than this at once (IOV_MAX). */
const MAX_GATHERED_CHUNKS = 1_024;

async function writeFully(file: FileHandle, chunks: Buffer[], position: number): Promise<void> {
  let rest = chunks;
  let at = position;
  while (rest.length > 0) {
    let { bytesWritten } = await file.writev(rest, at);
    at += bytesWritten;
    // A full disk may take a part; the next call then says why.
    while (rest.length > 0 && bytesWritten >= rest[0]!.length) {
      bytesWritten -= rest[0]!.length;
      rest = rest.slice(1);
    }
    if (bytesWritten > 0) rest = [rest[0]!.subarray(bytesWritten), ...rest.slice(1)];
  }
}

/** Writes a stream of chunks to a file from its beginning, in large pieces, with holes where it may be thin. */
export class FileWriter {
  private gathered: Buffer[] = [];
  private gatheredBytes = 0;
  private position = 0;

  constructor(
    private readonly file: FileHandle,
    private readonly isThin: boolean,
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
    await this.file.datasync();
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

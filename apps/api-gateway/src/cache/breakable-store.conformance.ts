/// <reference lib="es2024.promise" />
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ServiceError } from '@glimpse/contracts';
import type { WantedImage } from './cached-image.js';
import type { OpenOptions, OpenSource } from './fill-source.js';

export const KIB = 1024;

/** An image in a store that says how often it was read, waits where it is told to and breaks where it is told to. */
export class BreakableStore {
  reads: { start: number; attempt: number }[] = [];
  /** By attempt: the position after which the stream waits for `goOn`. */
  holdAt: number | undefined;
  /** By attempt: the position at which the stream breaks. */
  breakAt: (number | undefined)[] = [];
  private held = Promise.withResolvers<void>();

  constructor(
    readonly data: Buffer,
    private readonly pieceBytes = 8 * KIB,
  ) {}

  readonly open: OpenSource = async ({ range, attempt }: OpenOptions) => {
    const start = range?.start ?? 0;
    this.reads.push({ start, attempt });
    return Readable.from(this.pieces(start, attempt), { objectMode: false });
  };

  goOn(): void {
    this.held.resolve();
  }

  private async *pieces(start: number, attempt: number): AsyncGenerator<Buffer> {
    const breakAt = this.breakAt[attempt] ?? Number.POSITIVE_INFINITY;
    for (let at = start; at < this.data.length; at += this.pieceBytes) {
      if (at >= breakAt) throw new ServiceError('STORE_UNAVAILABLE', 'broken');
      if (this.holdAt !== undefined && at >= this.holdAt) await this.held.promise;
      yield Buffer.from(this.data.subarray(at, at + this.pieceBytes));
    }
  }
}

export const md5 = (data: Buffer) => createHash('md5').update(data).digest('hex');

/** The image that a cache is asked for when it holds `data`. */
export function wanted(imageId: string, data: Buffer, value = md5(data)): WantedImage {
  const hash = { algorithm: 'md5', value };
  return { imageId, identity: `md5:${value}`, size: data.length, checksum: value, hash };
}

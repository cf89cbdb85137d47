import { Readable } from 'node:stream';
import type { ByteRange } from '@glimpse/stores';

const READ_BYTES = 524_288;

/** A copy of an image in the cache, finished or growing. */
export interface Copy {
  /** How many bytes are there, as soon as the one at `position` is; undefined where it will never be. */
  reach(position: number): Promise<number | undefined>;
  /** Up to `length` bytes, in memory of their own. */
  read(position: number, length: number): Promise<Buffer>;
  /** The reader has ended. */
  leave(): void;
  /** The copy can't be read. */
  onBroken(error: unknown): void;
}

/** Opens the image in its store from some byte on. */
export type OpenRest = (range: ByteRange, signal: AbortSignal) => Promise<Readable>;

/**
 * Reads a range of an image from its copy in the cache, at its own pace. Where the copy ends early or fails, the rest
 * comes from the store.
 */
export class CacheReader extends Readable {
  private position: number;
  private rest: AsyncIterator<Buffer> | undefined;
  private readonly gone = new AbortController();

  constructor(
    private readonly copy: Copy,
    private readonly range: ByteRange,
    private readonly openRest: OpenRest,
  ) {
    super({ highWaterMark: READ_BYTES });
    this.position = range.start;
  }

  override _read(): void {
    this.next().then(
      (chunk) => this.push(chunk),
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.gone.abort(error ?? undefined);
    this.copy.leave();
    done(error);
  }

  private async next(): Promise<Buffer | null> {
    if (this.position > this.range.end) return null;
    const chunk = (await this.nextOfCopy()) ?? (await this.nextOfRest());
    this.position += chunk?.length ?? 0;
    return chunk;
  }

  private async nextOfCopy(): Promise<Buffer | undefined> {
    if (this.rest !== undefined) return undefined;
    const reached = await this.copy.reach(this.position);
    if (reached === undefined || this.destroyed) return undefined;
    const length = Math.min(READ_BYTES, reached - this.position, this.range.end + 1 - this.position);
    try {
      return await this.copy.read(this.position, length);
    } catch (error) {
      this.copy.onBroken(error);
      return undefined;
    }
  }

  private async nextOfRest(): Promise<Buffer | null> {
    if (this.destroyed) return null;
    this.rest ??= await this.openIterator();
    const { value, done } = await this.rest.next();
    return done === true ? null : value;
  }

  private async openIterator(): Promise<AsyncIterator<Buffer>> {
    const { signal } = this.gone;
    const stream = await this.openRest({ start: this.position, end: this.range.end }, signal);
    const end = () => stream.destroy();
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    // Whoever iterates learns of a failure; one that comes after the reader is gone concerns nobody.
    stream.on('error', () => undefined);
    return (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }
}

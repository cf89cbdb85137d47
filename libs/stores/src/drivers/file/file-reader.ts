import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { callbackify } from 'node:util';
import { ServiceError } from '@glimpse/contracts';
import { toAccessError } from './fs-errors.js';

/** Bytes of one read. */
export const READ_BYTES = 524_288;

/** A part of an open file as a stream of large chunks. Closes the file when it ends or is destroyed. */
export class FileReader extends Readable {
  private remaining: number;

  constructor(
    private readonly file: FileHandle,
    private position: number,
    size: number,
  ) {
    super({ highWaterMark: READ_BYTES });
    this.remaining = size;
  }

  override _read(): void {
    this.readNext().then(
      (chunk) => this.push(chunk),
      (error: unknown) => this.destroy(toAccessError(error, 'Cannot read image data')),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    callbackify(() => this.closeFile())((closeError) => done(error ?? closeError));
  }

  private async closeFile(): Promise<void> {
    try {
      await this.file.close();
    } catch (error) {
      throw toAccessError(error, 'Cannot close image data');
    }
  }

  private async readNext(): Promise<Buffer | null> {
    if (this.remaining === 0) return null;
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, this.remaining));
    const { bytesRead } = await this.file.read(buffer, 0, buffer.length, this.position);
    if (bytesRead === 0)
      throw new ServiceError('STORE_UNAVAILABLE', `Image data ends ${this.remaining} bytes too early`);
    this.position += bytesRead;
    this.remaining -= bytesRead;
    return buffer.subarray(0, bytesRead);
  }
}

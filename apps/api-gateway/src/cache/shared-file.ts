import type { FileHandle } from 'node:fs/promises';

/** An open file that several read. It is closed when all who hold it have let it go. */
export class SharedFile {
  private holders = 1;

  /** Held by whoever makes it. */
  constructor(readonly handle: FileHandle) {}

  hold(): void {
    this.holders += 1;
  }

  letGo(): void {
    this.holders -= 1;
    // There is nobody left who could do something about a failure, and nothing is lost by one.
    if (this.holders === 0) void this.handle.close().catch(() => undefined);
  }

  /** Up to `length` bytes from `position`, in memory that nobody else uses. Rejects where there are none. */
  async read(position: number, length: number): Promise<Buffer> {
    this.hold();
    try {
      const buffer = Buffer.allocUnsafeSlow(length);
      const { bytesRead } = await this.handle.read(buffer, 0, length, position);
      if (bytesRead === 0) throw new Error(`The file ends before its byte ${position}`);
      return bytesRead === length ? buffer : buffer.subarray(0, bytesRead);
    } finally {
      this.letGo();
    }
  }
}

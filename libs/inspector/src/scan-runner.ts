import type { FormatScan, RecognisedFormat, Region } from './format-scan.js';

/** Feeds one scan from the pieces of a stream, keeping no more than the region that it asked for. */
export class ScanRunner {
  private wanted: Region | undefined;
  private captured: Buffer[] = [];
  private capturedBytes = 0;
  private outcome: RecognisedFormat | undefined;

  constructor(
    readonly format: string,
    private readonly scan: FormatScan,
  ) {
    this.advance(() => this.scan.next());
  }

  /** Takes the piece of the image that lies at `offset`. */
  accept(bytes: Buffer, offset: number): void {
    while (this.wanted !== undefined && offset + bytes.length > this.nextByte(this.wanted)) {
      const { wanted } = this;
      const from = this.nextByte(wanted) - offset;
      // The scan asks for what has passed: it gets nothing.
      if (from < 0) this.handOver();
      else this.capture(bytes.subarray(from, from + wanted.length - this.capturedBytes), wanted);
    }
  }

  /** The image has ended. */
  finish(): RecognisedFormat | undefined {
    while (this.wanted !== undefined) this.handOver();
    return this.outcome;
  }

  private nextByte(wanted: Region): number {
    return wanted.offset + this.capturedBytes;
  }

  private capture(bytes: Buffer, wanted: Region): void {
    // A copy: the memory of the piece is used again.
    this.captured.push(Buffer.from(bytes));
    this.capturedBytes += bytes.length;
    if (this.capturedBytes === wanted.length) this.handOver();
  }

  private handOver(): void {
    const region = Buffer.concat(this.captured);
    this.captured = [];
    this.capturedBytes = 0;
    this.advance(() => this.scan.next(region));
  }

  private advance(step: () => IteratorResult<Region, RecognisedFormat | undefined>): void {
    this.wanted = undefined;
    try {
      const result = step();
      if (result.done === true) this.outcome = result.value;
      else this.wanted = result.value;
    } catch {
      // Content can be made to confuse a scan, e.g. to read beyond a region: then it is not of that format.
    }
  }
}

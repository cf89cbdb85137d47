import {
  type Examination,
  type FormatInspector,
  type FormatScan,
  INCOMPLETE,
  type Region,
  type Tail,
} from './format-inspector.js';
import { GrowingBuffer } from './growing-buffer.js';
import type { FoundFormat } from './inspection.js';

/** Feeds the look into one format from the pieces of a stream, keeping no more than the region that it asked for. */
export class ScanRunner {
  private readonly scan: FormatScan;
  private wanted: Region | Tail | undefined;
  private captured = new GrowingBuffer();
  private outcome: Examination | undefined;

  constructor(private readonly inspector: FormatInspector) {
    this.scan = inspector.examine();
    this.advance(() => this.scan.next());
  }

  /** Where the next byte lies that it wants to see; undefined where it only waits for the end, or is done. */
  get nextByte(): number | undefined {
    const region = this.region;
    return region === undefined ? undefined : region.offset + this.captured.length;
  }

  get isDone(): boolean {
    return this.wanted === undefined;
  }

  /** Takes the piece of the image that lies at `offset`. */
  accept(bytes: Buffer, offset: number): void {
    for (let region = this.region; region !== undefined; region = this.region) {
      const from = region.offset + this.captured.length - offset;
      if (from >= bytes.length && region.length > 0) return;
      // It asks for what has passed, or for nothing.
      if (from < 0 || region.length === 0) this.handOver();
      else this.capture(bytes.subarray(from, from + region.length - this.captured.length), region);
    }
  }

  /** The image has ended, with the bytes `tail`. */
  finish(tail: Buffer): void {
    while (this.region !== undefined) this.handOver();
    while (this.wanted !== undefined) {
      const bytes = 'tail' in this.wanted ? this.wanted.tail : 0;
      this.advance(() => this.scan.next(tail.subarray(Math.max(0, tail.length - bytes))));
    }
  }

  /** What was found, of an image of `imageBytes`; undefined where it is of another format, or not known yet. */
  found(imageBytes: number): FoundFormat | undefined {
    if (this.outcome === undefined) return undefined;
    const { virtualSize, subformat, dangers, isIncomplete } = this.outcome;
    return {
      format: this.inspector.format,
      subformat: subformat ?? null,
      virtualSize: typeof virtualSize === 'function' ? virtualSize(imageBytes) : virtualSize,
      dangers: dangers ?? [],
      isIncomplete: isIncomplete ?? false,
    };
  }

  private get region(): Region | undefined {
    return this.wanted !== undefined && 'offset' in this.wanted ? this.wanted : undefined;
  }

  private capture(bytes: Buffer, region: Region): void {
    this.captured.append(bytes);
    if (this.captured.length === region.length) this.handOver();
  }

  private handOver(): void {
    const region = this.captured.bytes;
    this.captured = new GrowingBuffer();
    this.advance(() => this.scan.next(region));
  }

  private advance(step: () => IteratorResult<Region | Tail, Examination | undefined>): void {
    this.wanted = undefined;
    try {
      const result = step();
      if (result.done === true) this.outcome = result.value;
      else this.wanted = result.value;
    } catch {
      // Content can be made to confuse it, e.g. to read beyond a region.
      this.outcome = INCOMPLETE;
    }
  }
}

import { contentOf } from './contents/content-of.js';
import { HEAD_BYTES } from './format-inspector.js';
import { formatInspectors } from './formats/index.js';
import { GrowingBuffer } from './growing-buffer.js';
import type { ContentName, FormatName, FoundFormat, Inspection } from './inspection.js';
import { ScanRunner } from './scan-runner.js';
import { StreamTail } from './stream-tail.js';

/** A format that an image has; `found` as soon as enough of it has been seen. */
export interface SeenFormat {
  readonly format: FormatName;
  readonly found: FoundFormat | undefined;
}

/** What is known of an image while it still comes. */
export interface InspectionSoFar {
  readonly seen: readonly SeenFormat[];
  /** Formats that the image may turn out to be at its end. */
  readonly possible: readonly FormatName[];
  readonly content: ContentName | null;
}

interface Running {
  readonly format: FormatName;
  /** False where it may turn out to be of another format. */
  readonly isSure: boolean;
  readonly runner: ScanRunner;
}

/**
 * Looks at the content of an image while it passes. Keeps small regions of it (80 KiB; of a VMDK its descriptor too, 1 MiB
 * at most), and never throws for what is in it: content is hostile.
 */
export class ContentInspector {
  private readonly head = new GrowingBuffer();
  private readonly tail = new StreamTail();
  private runners: readonly Running[] | undefined;
  private content: ContentName | null = null;
  private offset = 0;

  /** Takes the image's bytes, in order. Their memory may change afterwards. */
  accept(bytes: Buffer): void {
    this.tail.accept(bytes);
    let rest = bytes;
    if (this.runners === undefined) {
      const part = bytes.subarray(0, HEAD_BYTES - this.head.length);
      rest = bytes.subarray(part.length);
      this.head.append(part);
      this.offset += part.length;
      if (this.head.length === HEAD_BYTES) this.runners = this.begin();
    }
    if (rest.length === 0) return;
    for (const { runner } of this.runners ?? []) runner.accept(rest, this.offset);
    this.offset += rest.length;
  }

  /** What is known already; undefined while that is nothing. It says more whenever `settled` has grown. */
  soFar(): InspectionSoFar | undefined {
    if (this.runners === undefined) return undefined;
    const seen = this.runners.flatMap(({ format, isSure, runner }) => {
      const found = runner.found(this.offset);
      return isSure || found !== undefined ? [{ format, found }] : [];
    });
    const possible = this.runners.flatMap(({ format, isSure, runner }) =>
      isSure || runner.isDone ? [] : [format],
    );
    return { seen, possible, content: this.content };
  }

  /** How many things about the image are settled; 0 while not enough of it was seen to begin with. */
  get settled(): number {
    if (this.runners === undefined) return 0;
    return this.runners.reduce((count, { runner }) => count + (runner.isDone ? 1 : 0), 1);
  }

  /** The next byte that is of interest, not counting the last {@link TAIL_BYTES}; undefined where none is. */
  get nextByte(): number | undefined {
    if (this.runners === undefined) return this.offset;
    const wanted = this.runners.flatMap(({ runner }) => runner.nextByte ?? []);
    return wanted.length === 0 ? undefined : Math.max(this.offset, Math.min(...wanted));
  }

  /** Leaves out what is of no interest, for those who can read where they like. */
  skipTo(offset: number): void {
    this.offset = Math.max(this.offset, offset);
  }

  /** What the image is; call it once, after the last byte. */
  finish(): Inspection {
    this.runners ??= this.begin();
    const found = this.runners.flatMap(({ runner }) => {
      runner.finish(this.tail.bytes);
      return runner.found(this.offset) ?? [];
    });
    return { size: this.offset, found, content: this.content };
  }

  private begin(): readonly Running[] {
    const head = this.head.bytes;
    this.content = contentOf(head);
    return formatInspectors.flatMap((inspector) => {
      const matches = inspector.matches(head);
      if (matches === false) return [];
      const runner = new ScanRunner(inspector);
      runner.accept(head, 0);
      return [{ format: inspector.format, isSure: matches === true, runner }];
    });
  }
}

import { formatScans } from './formats/index.js';
import { ScanRunner } from './scan-runner.js';

/** What the content of an image tells. */
export interface Inspection {
  /** The formats that the content looks like; none for raw. */
  readonly formats: readonly string[];
  /** Bytes of the disk in the image; null where the content doesn't tell or isn't what was declared. */
  readonly virtualSize: number | null;
}

/**
 * Looks at the content of an image while it passes. Keeps small regions of it at most, and never throws for what is
 * in it: content is hostile.
 */
export class ImageInspector {
  private readonly runners = formatScans.map(({ format, scan }) => new ScanRunner(format, scan()));
  private totalBytes = 0;

  /** `diskFormat` is what the image's owner declared. */
  constructor(private readonly diskFormat: string) {}

  /** Takes the image's bytes, in order. Their memory may change afterwards. */
  accept(bytes: Buffer): void {
    for (const runner of this.runners) runner.accept(bytes, this.totalBytes);
    this.totalBytes += bytes.length;
  }

  /** The verdict; call it once, after the last byte. */
  finish(): Inspection {
    const sizes = new Map<string, number | null>();
    for (const runner of this.runners) {
      const recognised = runner.finish();
      if (recognised !== undefined) sizes.set(runner.format, recognised.virtualSize);
    }
    return { formats: [...sizes.keys()], virtualSize: this.virtualSizeFrom(sizes) };
  }

  /** spec/image-formats.md section 4: what is declared raw counts with all its bytes, whatever it looks like. */
  private virtualSizeFrom(sizes: ReadonlyMap<string, number | null>): number | null {
    if (sizes.size > 1) return null;
    if (this.diskFormat === 'raw') return this.totalBytes === 0 ? null : this.totalBytes;
    return sizes.get(this.diskFormat) ?? null;
  }
}

/** The inspector for an image, or none: what is in a container other than `bare` is not looked at. */
export function createInspector(image: {
  readonly diskFormat: string;
  readonly containerFormat: string;
}): ImageInspector | undefined {
  return image.containerFormat === 'bare' ? new ImageInspector(image.diskFormat) : undefined;
}

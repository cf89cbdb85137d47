import type { Readable } from 'node:stream';

/** Data to import, opened. */
export interface OpenedSource {
  /** Its opener destroys it. */
  readonly data: Readable;
  readonly size: number | undefined;
  /** Digests that it must have, by algorithm. */
  readonly digests?: ReadonlyMap<string, string>;
  /** What the source says of the image, where it is more than data. */
  readonly description?: {
    readonly diskFormat: string;
    readonly containerFormat: string;
    readonly properties: Readonly<Record<string, string>>;
  };
}

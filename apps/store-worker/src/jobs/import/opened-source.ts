import type { Readable } from 'node:stream';
import type { ProgressReporter } from '@glimpse/contracts';

/** The attempt for which something is read. */
export interface ReadAttempt {
  readonly signal: AbortSignal;
  /** Names what is written on the way. */
  readonly attemptId: string;
  readonly progress: ProgressReporter;
}

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
  /** Gives up what the data came from, once it is destroyed. */
  readonly close?: () => Promise<void>;
}

import { z } from 'zod';

/**
 * What is being done with the data. `waiting` is not begun, or paused before another attempt; `done` and `failed` are the
 * ends.
 */
export const progressPhases = [
  'waiting',
  /** From the client that uploads it. */
  'receiving',
  /** From a web server, or another image service. */
  'downloading',
  /** From a store. */
  'reading',
  /** Decompressing it, or taking it out of an archive. */
  'unpacking',
  'converting',
  'hashing',
  'verifying',
  /** All of it was read; it is being made durable. */
  'storing',
  'removing',
  'done',
  'failed',
] as const;
export type ProgressPhase = (typeof progressPhases)[number];

/** How far work on data has come. */
export const Progress = z.object({
  /** One of {@link progressPhases}; peers of a later release may have more. */
  phase: z.string(),
  /** Of this phase. */
  bytesDone: z.int().min(0),
  /** Of this phase; null where it is not known. */
  bytesTotal: z.int().min(0).nullable(),
  /** Over the last seconds; null or left out where there is nothing to tell it from. */
  bytesPerSecond: z.int().min(0).nullable().optional(),
});
export type Progress = z.output<typeof Progress>;

/** Takes how far some work has come, from whoever does it. */
export interface ProgressReporter {
  /** A phase begins, with `bytesDone` (0) of `bytesTotal`, which is null, or left out, where it is not known. */
  phase(name: ProgressPhase, bytesTotal?: number | null, bytesDone?: number): void;
  /** The bytes of the phase so far. As cheap as an assignment: call it as often as is convenient. */
  bytes(done: number): void;
}

/** Whole seconds until the phase ends at its present rate; null where that can't be told. */
export function secondsLeft({ bytesDone, bytesTotal, bytesPerSecond }: Progress): number | null {
  if (bytesTotal === null || bytesPerSecond === null || bytesPerSecond === undefined) return null;
  if (bytesPerSecond === 0) return null;
  return Math.ceil(Math.max(0, bytesTotal - bytesDone) / bytesPerSecond);
}

import type { FormatName } from '../inspection.js';

/** What follows from an inspection for an image of declared formats. */
export interface Verdict {
  /** The one format that the content counts as; null where it is several that contradict each other. */
  readonly format: FormatName | 'raw' | null;
  /** What to record as the image's `virtual_size`; null where that stays unknown. */
  readonly virtualSize: number | null;
  /** Why the data must not be accepted, as a sentence for the client; null where it may be. */
  readonly refusal: string | null;
  /** What an operator may want to know of data that was accepted all the same; null where there is nothing. */
  readonly warning: string | null;
}

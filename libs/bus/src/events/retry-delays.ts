import type { BusOptions } from '../bus-options.js';

const MAX_DELAY_MS = 3_600_000;

/** The pauses between the attempts of an event, the first after the first attempt: doubling, an hour at most. */
export const retryDelays = ({ eventAttempts, eventRetryDelayMs }: BusOptions['options']): number[] =>
  Array.from({ length: eventAttempts - 1 }, (_, index) =>
    Math.min(MAX_DELAY_MS, eventRetryDelayMs * 2 ** index),
  );

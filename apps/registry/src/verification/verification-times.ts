import type { Config } from '@glimpse/config';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

type Options = Pick<Config['verification'], 'intervalDays'>;

/** Over which the first turns are spread, and in which every copy has its turn. */
export const intervalMsOf = ({ intervalDays }: Options): number =>
  // Without turns of their own the times still tell which copy was looked at the longest ago.
  (intervalDays === 0 ? 30 : intervalDays) * DAY_MS;

/** What to note at `now`, so that the next turn comes after the pause, or as usual where that is sooner. */
const turnIn = (pauseMs: number, options: Options, now: number): number =>
  now - Math.max(0, intervalMsOf(options) - pauseMs);

/** A store may come back, a mount too: what could not be looked at, or was not there, is looked at again soon. */
export const soon = (options: Options, now: number): number => turnIn(HOUR_MS, options, now);

/** What is damaged may have been read wrong, or been mended by hand. */
export const tomorrow = (options: Options, now: number): number => turnIn(DAY_MS, options, now);

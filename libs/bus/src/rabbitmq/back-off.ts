const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/** How long to wait before connecting again: doubling, with jitter, so that many clients don't return at once. */
export const backOffMs = (attempt: number): number => {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(full * (0.5 + Math.random() / 2));
};

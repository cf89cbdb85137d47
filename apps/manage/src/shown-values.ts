/** A time of a table of ours, for people. */
export function iso(epochMs: number): string;
export function iso(epochMs: number | null): string | null;
export function iso(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}

/** An error as rows keep it, for people. */
export function describeError(text: string | null): string | null {
  if (text === null) return null;
  const error = JSON.parse(text) as { code: string; message: string };
  return `${error.code}: ${error.message}`;
}

/** A time of a table of ours, for people. */
export const iso = (epochMs: number): string => new Date(epochMs).toISOString();

/** An error as rows keep it, for people. */
export function describeError(text: string | null): string | null {
  if (text === null) return null;
  const error = JSON.parse(text) as { code: string; message: string };
  return `${error.code}: ${error.message}`;
}

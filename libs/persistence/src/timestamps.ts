/** Glance's columns hold UTC in whole seconds: `YYYY-MM-DD HH:MM:SS`, as text from both databases. */
export const toDatabaseTime = (epochMs: number): string =>
  new Date(epochMs).toISOString().slice(0, 19).replace('T', ' ');

/** `YYYY-MM-DD HH:MM:SS` (a fraction is cut off) → `YYYY-MM-DDTHH:MM:SSZ`. */
export const fromDatabaseTime = (text: string): string => `${text.slice(0, 10)}T${text.slice(11, 19)}Z`;

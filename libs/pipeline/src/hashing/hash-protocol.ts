/** What a hashing thread is asked to do; it answers each request, in their order. */
export type HashRequest =
  | { readonly kind: 'begin'; readonly hashId: number; readonly algorithm: string }
  | { readonly kind: 'update'; readonly hashId: number; readonly length: number; readonly memory: SentMemory }
  | { readonly kind: 'digest'; readonly hashId: number }
  | { readonly kind: 'drop'; readonly hashId: number };

/** Shared memory by its number; the memory itself goes along only when the thread does not know the number. */
export interface SentMemory {
  readonly id: number;
  readonly buffer?: SharedArrayBuffer;
  /** A number that will not come again. */
  readonly forget?: number;
}

/** The digest in lower-case hex for `digest`; null for everything else. */
export type HashAnswer = string | null;

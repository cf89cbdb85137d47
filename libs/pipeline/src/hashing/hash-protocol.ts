/** What a hashing thread is asked to do; it answers each request, in their order. */
export type HashRequest =
  | { readonly kind: 'begin'; readonly hashId: number; readonly algorithm: string }
  | {
      readonly kind: 'update';
      readonly hashId: number;
      readonly memory: SharedArrayBuffer;
      readonly length: number;
    }
  | { readonly kind: 'digest'; readonly hashId: number }
  | { readonly kind: 'drop'; readonly hashId: number };

/** The digest in lower-case hex for `digest`; null for everything else. */
export type HashAnswer = string | null;

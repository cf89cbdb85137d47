/** What the digesting thread is told. It answers `finish` alone. */
export type DigestRequest =
  | { readonly kind: 'begin'; readonly id: number; readonly path: string; readonly algorithm: string }
  /** So many bytes of the file are there. */
  | { readonly kind: 'advance'; readonly id: number; readonly upTo: number }
  | { readonly kind: 'finish'; readonly id: number }
  | { readonly kind: 'drop'; readonly id: number };

/** `digest` in lower-case hex; null where the file could not be read or hashed. */
export interface DigestAnswer {
  readonly id: number;
  readonly digest: string | null;
}

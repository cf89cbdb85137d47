/** Something that looks at a transfer as it passes. */
export interface Stage {
  /** Sees the bytes once, in order; they are only valid during the call. Throwing ends the transfer. */
  accept(bytes: Buffer): void;
}

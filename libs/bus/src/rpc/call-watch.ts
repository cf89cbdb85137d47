/** Sees every call that a service answers. */
export interface CallWatch {
  /** Before the call's handler runs. What it throws is the answer, and the handler does not run. */
  begin(pattern: string, request: unknown): void;
  /** The call fails with `error`, be it of `begin` or of the handler. Must not throw. */
  failed(pattern: string, request: unknown, error: unknown): void;
}

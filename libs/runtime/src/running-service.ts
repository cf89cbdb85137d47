/** A service that was started in this process. */
export interface RunningService {
  /** Where it listens, e.g. `http://127.0.0.1:9292`; absent where it listens nowhere. */
  readonly url?: string;
  /** Reads again what an operator may change while it runs. What can't be used is logged, and the old stays. */
  reload?(): void;
  /**
   * Stops taking new work, lets what is in flight finish for up to `graceMs` milliseconds, gives up the rest and
   * releases everything. Safe to call again: the second call waits for the first.
   */
  close(graceMs: number): Promise<void>;
}

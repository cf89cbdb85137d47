/** How often in a row a server is found away before nobody asks it any more. */
const FAILURES = 5;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 10_000;

/**
 * Keeps requests from waiting for a server that is away: after {@link FAILURES} failures in a row it is left alone for a
 * pause, then one request tries. While that one fails the pause grows.
 */
export class CircuitBreaker {
  private failures = 0;
  private pauseMs = FIRST_PAUSE_MS;
  private closedUntil = 0;
  private isTrying = false;

  constructor(private readonly now: () => number = Date.now) {}

  /** Whether a request may go out. Who got a yes says {@link succeeded} or {@link failed}. */
  mayPass(): boolean {
    if (this.failures < FAILURES) return true;
    if (this.isTrying || this.now() < this.closedUntil) return false;
    this.isTrying = true;
    return true;
  }

  /** Says whether the server was away before. */
  succeeded(): boolean {
    const wasAway = this.failures >= FAILURES;
    this.failures = 0;
    this.pauseMs = FIRST_PAUSE_MS;
    this.isTrying = false;
    return wasAway;
  }

  /** Says whether it counts as away from now on. */
  failed(): boolean {
    this.failures++;
    if (this.failures < FAILURES) return false;
    // Requests that were under way when the pause began don't make it longer.
    if (this.isTrying) this.pauseMs = Math.min(this.pauseMs * 2, MAX_PAUSE_MS);
    if (this.isTrying || this.failures === FAILURES) this.closedUntil = this.now() + this.pauseMs;
    this.isTrying = false;
    return this.failures === FAILURES;
  }
}

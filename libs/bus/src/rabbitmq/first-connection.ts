/** What is asked for right after the start waits for the first connection, once and for a bounded time. */
export class FirstConnection {
  private readonly settled: Promise<void>;
  private resolve: () => void = () => undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(waitMs: number) {
    this.settled = new Promise((resolve) => {
      this.resolve = resolve;
    });
    this.timer = setTimeout(() => this.resolve(), waitMs);
  }

  wait(): Promise<void> {
    return this.settled;
  }

  settle(): void {
    clearTimeout(this.timer);
    this.resolve();
  }
}

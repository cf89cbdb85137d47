import type { Logger } from '@glimpse/observability';

/** Does something again and again: at intervals, and at once when it is woken. Never twice at the same time. */
export class Repeater {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private isWoken = false;
  private pauseMs: (() => number) | undefined;

  /** An error of `work` is logged; the next turn comes as usual. */
  constructor(
    private readonly name: string,
    private readonly logger: Logger,
    private readonly work: () => Promise<void>,
  ) {}

  /** `pauseMs` is asked after each turn. */
  start(pauseMs: () => number): void {
    this.pauseMs = pauseMs;
    this.wake();
  }

  /** Takes the next turn now, or right after the one that is going on. Does nothing before the start or after the stop. */
  wake(): void {
    this.isWoken = true;
    if (this.running !== undefined || this.pauseMs === undefined) return;
    clearTimeout(this.timer);
    this.running = this.takeTurns();
  }

  /** Resolves when the turn that is going on is over; there will be no other. */
  async stop(): Promise<void> {
    this.pauseMs = undefined;
    clearTimeout(this.timer);
    await this.running;
  }

  private async takeTurns(): Promise<void> {
    while (this.isWoken && this.pauseMs !== undefined) {
      this.isWoken = false;
      await this.takeTurn();
    }
    this.running = undefined;
    if (this.pauseMs !== undefined) this.timer = setTimeout(() => this.wake(), this.pauseMs());
  }

  private async takeTurn(): Promise<void> {
    try {
      await this.work();
    } catch (error) {
      this.logger.error({ err: error }, `${this.name} failed, will try again`);
    }
  }
}

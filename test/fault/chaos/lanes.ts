import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 50;

/** Does one thing after the other, in several lanes at once, until it is told to stop. */
export class Lanes {
  private isStopping = false;
  private readonly running: Promise<void>[];

  /** `open` makes the lane of that index; what it answers does the thing of that number, from 1 on, and never rejects. */
  constructor(count: number, open: (lane: number) => (number: number) => Promise<void>) {
    this.running = Array.from({ length: count }, (_, lane) => this.run(open(lane)));
  }

  /** Begins nothing more; resolves when what goes on has ended. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.running);
  }

  private async run(act: (number: number) => Promise<void>): Promise<void> {
    for (let number = 1; !this.isStopping; number += 1) {
      await act(number);
      await sleep(PAUSE_MS);
    }
  }
}

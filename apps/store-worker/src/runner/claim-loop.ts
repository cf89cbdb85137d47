/** Claims work whenever there may be some, one claim at a time: a wake-up during a claim is followed by another one. */
export class ClaimLoop {
  private isStopping = false;
  private claiming: Promise<void> | undefined;
  private isWokenAgain = false;
  private poll: NodeJS.Timeout | undefined;

  /** `claim` begins what it gets; `failed` is told why it could not ask, and the next wake-up tries again. */
  constructor(
    private readonly claim: () => Promise<void>,
    private readonly failed: (error: unknown) => void,
    private readonly pollMs: number,
  ) {}

  /** Looks for work now, and every `pollMs` milliseconds for what nobody announced. */
  start(): void {
    this.poll = setInterval(() => this.wake(), this.pollMs);
    this.wake();
  }

  /** Looks for work now. */
  wake(): void {
    this.isWokenAgain = true;
    this.claiming ??= this.claimWhileWoken();
  }

  /** Begins no claim any more. */
  stop(): void {
    this.isStopping = true;
    clearInterval(this.poll);
  }

  /** Resolves when no claim is under way. */
  async settled(): Promise<void> {
    await this.claiming;
  }

  private async claimWhileWoken(): Promise<void> {
    try {
      while (this.isWokenAgain && !this.isStopping) {
        this.isWokenAgain = false;
        await this.claim();
      }
    } catch (error) {
      this.failed(error);
    } finally {
      this.claiming = undefined;
    }
  }
}

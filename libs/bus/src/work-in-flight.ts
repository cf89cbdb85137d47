/** Counts what has begun and not ended, and tells when there is nothing of it. */
export class WorkInFlight {
  private count = 0;
  private onIdle: (() => void) | null = null;

  readonly begin = (): void => {
    this.count += 1;
  };

  readonly end = (): void => {
    this.count -= 1;
    if (this.count === 0) this.onIdle?.();
  };

  /** Whether it became idle within `timeoutMs`. */
  async becomesIdle(timeoutMs: number): Promise<boolean> {
    if (this.count === 0) return true;
    let timer: NodeJS.Timeout | undefined;
    const isIdle = await new Promise<boolean>((resolve) => {
      this.onIdle = () => resolve(true);
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    clearTimeout(timer);
    return isIdle;
  }
}

/** Runs what concerns the same key one after the other. */
export class OneAtATime {
  private readonly last = new Map<string, Promise<unknown>>();

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (this.last.get(key) ?? Promise.resolve()).then(work, work);
    this.last.set(key, result);
    void this.forget(key, result);
    return result;
  }

  private async forget(key: string, result: Promise<unknown>): Promise<void> {
    await Promise.allSettled([result]);
    if (this.last.get(key) === result) this.last.delete(key);
  }
}

/** Lets so many bytes be under way and no more; who has to wait is served in the order of asking. */
export class ByteWindow {
  private free: number;
  private readonly waiting: { bytes: number; start: () => void }[] = [];

  constructor(private readonly size: number) {
    this.free = size;
  }

  /** Runs `work` as soon as there is room for `bytes`; what is larger than the window has it for itself. */
  async run<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const taken = Math.min(bytes, this.size);
    if (this.waiting.length > 0 || taken > this.free)
      await new Promise<void>((start) => this.waiting.push({ bytes: taken, start }));
    else this.free -= taken;
    try {
      return await work();
    } finally {
      this.free += taken;
      this.serve();
    }
  }

  private serve(): void {
    for (;;) {
      const [first] = this.waiting;
      if (first === undefined || first.bytes > this.free) return;
      this.waiting.shift();
      this.free -= first.bytes;
      first.start();
    }
  }
}

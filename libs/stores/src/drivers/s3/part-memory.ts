/**
 * Memory in which several uploads hold parts that are on their way. Each upload has one part of its own that nobody can
 * keep from it, so that slow ones never hold up the others; what lies beyond is shared, and bounded.
 */
export class PartMemory {
  private shared = 0;

  constructor(private readonly sharedBytes: number) {}

  /** Takes so much of what is shared; false where there is not enough left. */
  tryTake(bytes: number): boolean {
    if (this.shared + bytes > this.sharedBytes) return false;
    this.shared += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.shared -= bytes;
  }
}

import type { Stage } from './stage.js';

/** Tells how far a transfer has come. */
export class ProgressStage implements Stage {
  private bytesDone = 0;

  constructor(private readonly onProgress: (bytesDone: number) => void) {}

  accept(bytes: Buffer): void {
    this.bytesDone += bytes.length;
    this.onProgress(this.bytesDone);
  }
}

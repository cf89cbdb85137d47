import type { FileHandle } from 'node:fs/promises';

/**
 * Syncs files while more is written to them: one file at a time, since a sync holds one of the few threads by which a
 * process reads and writes its files.
 */
export class EarlySync {
  private isBusy = false;

  /** Starts a sync that resolves with its failure, if any. Undefined, and nothing is started, while another is under way. */
  start(file: FileHandle): Promise<unknown> | undefined {
    if (this.isBusy) return undefined;
    this.isBusy = true;
    return this.sync(file);
  }

  private async sync(file: FileHandle): Promise<unknown> {
    try {
      await file.datasync();
      return undefined;
    } catch (error) {
      return error;
    } finally {
      this.isBusy = false;
    }
  }
}

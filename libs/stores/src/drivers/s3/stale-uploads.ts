import type { Logger } from '@glimpse/observability';
import { abortUpload } from './multipart-upload.js';
import type { S3Connection } from './s3-connection.js';
import { nameOf } from './s3-errors.js';
import { QUARANTINE_PREFIX } from './s3-location.js';
import { listUploads, measureUpload } from './upload-list.js';

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
/**
 * A bucket may be shared: only uploads whose key is the id of an image can be ours, alone, with that of a repair, or as
 * something that is being set aside.
 */
const OURS = new RegExp(`^(?:${QUARANTINE_PREFIX.replace('.', '\\.')}${UUID}\\.)?${UUID}(?:-${UUID})?$`, 'i');
const SWEEP_EVERY_MS = 3_600_000;

/**
 * Removes uploads in parts that nobody goes on with. What an attempt leaves whose process died is removed by its id
 * (`removeLeftovers`); this is for what nobody knows of any more. Their age is counted from the last part that came.
 */
export class StaleUploads {
  private readonly closed = new AbortController();
  private sweeping: Promise<void> | undefined;
  private nextSweepAt = 0;

  constructor(
    private readonly connection: S3Connection,
    /** 0: nothing is ever removed. */
    private readonly staleMs: number,
    private readonly logger: Logger,
  ) {}

  /** Begins a sweep where the last was some time ago. Those who write call it: nothing is left where nobody does. */
  sweepSometimes(): void {
    if (this.staleMs === 0 || this.sweeping !== undefined || Date.now() < this.nextSweepAt) return;
    this.nextSweepAt = Date.now() + SWEEP_EVERY_MS;
    this.sweeping = this.sweep()
      .catch((error: unknown) => {
        if (!this.closed.signal.aborted)
          this.logger.warn({ reason: nameOf(error) }, 'stale uploads could not be looked for');
      })
      .finally(() => {
        this.sweeping = undefined;
      });
  }

  /** Removes what is stale now. */
  async sweep(): Promise<void> {
    const { signal } = this.closed;
    const isOld = (time: number) => time < Date.now() - this.staleMs;
    for await (const upload of listUploads(this.connection, { signal })) {
      if (!OURS.test(upload.key) || !isOld(upload.beganAt)) continue;
      const measured = await measureUpload(this.connection, upload, signal);
      if (measured === undefined || !isOld(measured.modifiedAt)) continue;
      await abortUpload(this.connection, upload, signal);
      this.logger.info({ imageId: upload.key, bytes: measured.size }, 'a stale upload was removed');
    }
  }

  async close(): Promise<void> {
    this.closed.abort();
    await this.sweeping;
  }
}

import { STAGING_STORE, imageEvents } from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { moveImage } from './image-state.js';

/** What becomes of an image whose upload came to nothing. */
@Injectable()
export class UploadFailures {
  constructor(
    private readonly outbox: OutboxWriter,
    private readonly clock: Clock,
  ) {}

  /**
   * saving (or, of what was to be staged, uploading) → queued, so that the upload can be repeated. Nothing where the
   * image is not receiving data, or gone.
   */
  async requeue(
    tx: Transaction,
    { imageId, storeId }: { readonly imageId: string; readonly storeId: string },
    reason: string,
  ): Promise<void> {
    const from = storeId === STAGING_STORE ? 'uploading' : 'saving';
    if (await moveImage(tx, imageId, { from, to: 'queued', now: this.clock.databaseNow() }))
      await this.outbox.write(tx, imageEvents.uploadFailed, imageId, { imageId, reason });
  }
}

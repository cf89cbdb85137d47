import { STAGING_STORE, imageEvents } from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { ImageNotices, type UploadFailure } from '../notifications/image-notices.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { moveImage } from './image-state.js';

/** What becomes of an image whose upload came to nothing. */
@Injectable()
export class UploadFailures {
  constructor(
    private readonly notices: ImageNotices,
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
    failure: UploadFailure,
  ): Promise<void> {
    const isStaged = storeId === STAGING_STORE;
    const from = isStaged ? 'uploading' : 'saving';
    const now = this.clock.databaseNow();
    const { reason } = failure;
    const isBack = await moveImage(tx, imageId, { from, to: 'queued', now });
    if (isBack) await this.outbox.write(tx, imageEvents.uploadFailed, imageId, { imageId, reason });
    if (!isStaged) await this.notices.uploadFailed(tx, imageId, failure);
    else if (isBack) await this.notices.changed(tx, imageId);
  }
}

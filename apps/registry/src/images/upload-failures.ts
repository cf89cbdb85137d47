import { imageEvents } from '@glimpse/contracts';
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

  /** saving → queued, so that the upload can be repeated. Nothing where the image is not being saved, or gone. */
  async requeue(tx: Transaction, imageId: string, reason: string): Promise<void> {
    const now = this.clock.databaseNow();
    if (await moveImage(tx, imageId, { from: 'saving', to: 'queued', now }))
      await this.outbox.write(tx, imageEvents.uploadFailed, imageId, { imageId, reason });
  }
}

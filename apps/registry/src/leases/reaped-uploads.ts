import type { JobPayload } from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { UploadFailures } from '../images/upload-failures.js';
import type { JobEffect } from '../jobs/job-effects.js';
import { UploadLeases } from './upload-leases.js';

/** Gives an image back once the leftovers of an upload whose process died are removed. */
@Injectable()
export class ReapedUploads implements JobEffect<'delete-data'> {
  readonly kind = 'delete-data';

  constructor(
    private readonly leases: UploadLeases,
    private readonly failures: UploadFailures,
  ) {}

  async completed(tx: Transaction, { imageId, partial }: JobPayload<'delete-data'>): Promise<void> {
    if (partial === undefined) return;
    if (await this.leases.drop(tx, partial.uploadId))
      await this.failures.requeue(
        tx,
        { imageId, ...partial },
        { reason: 'The process that received the data went away.' },
      );
  }
}

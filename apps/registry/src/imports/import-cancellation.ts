import { type WireError, jobPayloadOf } from '@glimpse/contracts';
import type { JobRow, Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { forgetSecrets } from '../jobs/forget-secrets.js';
import { JobQueue } from '../jobs/job-queue.js';
import { RegistrySettings } from '../registry-settings.js';
import { SnapshotEnds } from '../snapshots/snapshot-ends.js';
import { TaskRecords } from '../tasks/task-records.js';
import { leftoversOf } from './import-jobs.js';
import { StagedData } from './staged-data.js';

const DELETED = { code: 'IMAGE_NOT_FOUND', message: 'The image was deleted.' };

/** Ends the imports of an image that is being deleted, and the snapshot that it was to be. */
@Injectable()
export class ImportCancellation {
  constructor(
    private readonly staged: StagedData,
    private readonly snapshots: SnapshotEnds,
    private readonly tasks: TaskRecords,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** The worker learns it with its next heartbeat. What it leaves is removed once it can not write any more. */
  async cancel(tx: Transaction, imageId: string, why: WireError = DELETED): Promise<void> {
    const jobs = await tx.query<Pick<JobRow, 'id' | 'payload' | 'attempt'>>(
      "SELECT id, payload, attempt FROM jobs WHERE image_id = ? AND kind = 'import' AND status IN ('queued', 'running')",
      [imageId],
    );
    for (const job of jobs) await this.end(tx, job, why);
    await this.snapshots.cancel(tx, imageId, { code: 'SNAPSHOT_CANCELLED', message: why.message });
    await this.staged.discard(tx, imageId);
  }

  private async end(tx: Transaction, job: Pick<JobRow, 'id' | 'payload'>, why: WireError): Promise<void> {
    const { id, payload: text } = job;
    const payload = jobPayloadOf('import', JSON.parse(text));
    const now = this.clock.now();
    await tx.execute(
      `UPDATE jobs SET status = 'failed', due_at = ?, updated_at = ?, last_error = ?, lease_owner = NULL
        WHERE id = ? AND status IN ('queued', 'running')`,
      [now, now, JSON.stringify(why), id],
    );
    await forgetSecrets(tx, { ...job, kind: 'import' });
    await this.tasks.fail(tx, payload.taskId, why.message);
    const { jobs, import: imports } = this.settings.config;
    await this.jobs.enqueue(
      tx,
      'delete-data',
      {
        imageId: payload.imageId,
        locations: [],
        leftovers: leftoversOf(payload, imports.maxAttempts),
      },
      { dueInMs: jobs.leaseMs },
    );
  }
}

import type { Caller, Image, Snapshot } from '@glimpse/contracts';
import { Database, type Transaction, UniqueViolation } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { ImportCancellation } from '../imports/import-cancellation.js';
import { ImportEnds } from '../imports/import-ends.js';
import { PolicyEngine } from '../policy/policy.engine.js';
import { TaskRecords } from '../tasks/task-records.js';
import { snapshotsEnded } from './snapshot-metrics.js';
import {
  type SnapshotKey,
  findSnapshot,
  insertSnapshot,
  toSnapshot,
} from './snapshot-requests.repository.js';
import { snapshotKey, snapshotNotFound } from './snapshots.service.js';

const CANCELLED = { code: 'SNAPSHOT_CANCELLED', message: 'The snapshot was cancelled.' } as const;

/** Ends snapshots for those who asked for them, at any time. */
@Injectable()
export class SnapshotCancellation {
  constructor(
    private readonly database: Database,
    private readonly imports: ImportCancellation,
    private readonly ends: ImportEnds,
    private readonly tasks: TaskRecords,
    private readonly policy: PolicyEngine,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** Answers how it stands: cancelled, or as it had ended before. One that has not come yet will be refused. */
  async cancel(ctx: Caller, requestId: string): Promise<Snapshot> {
    const key = snapshotKey(ctx, requestId);
    if ((await findSnapshot(this.database, key)) === undefined) await this.forbid(ctx, key);
    return this.database.unitOfWork.run(async (tx) => {
      const { imageId } = await get(tx, key);
      // Whoever ends an image holds it before its request: how it stands now does not change meanwhile.
      const stored = imageId === null ? undefined : await this.ends.hold(tx, imageId);
      const snapshot = await get(tx, key);
      if (snapshot.status !== 'accepted' || imageId === null) {
        this.policy.enforce('get_image', ctx, { owner: key.projectId, visibility: 'private' });
        return snapshot;
      }
      await this.end(tx, ctx, { ...snapshot, imageId }, stored?.image);
      return get(tx, key);
    });
  }

  /** Messages may overtake each other. */
  private async forbid(ctx: Caller, { projectId, requestId }: SnapshotKey): Promise<void> {
    // Whom it forbids may be whoever may ask.
    this.policy.enforce('add_snapshot', ctx, { owner: projectId, visibility: 'private' });
    const now = this.clock.now();
    try {
      await this.database.unitOfWork.run((tx) =>
        insertSnapshot(tx, {
          project_id: projectId,
          request_id: requestId,
          status: 'cancelled',
          error: JSON.stringify(CANCELLED),
          created_at: now,
          updated_at: now,
        }),
      );
      snapshotsEnded.inc({ outcome: 'cancelled' });
    } catch (error) {
      // It has come in the meantime.
      if (!(error instanceof UniqueViolation)) throw error;
    }
  }

  private async end(
    tx: Transaction,
    ctx: Caller,
    { imageId, taskId }: Snapshot & { readonly imageId: string },
    image: Image | undefined,
  ): Promise<void> {
    if (image !== undefined) await this.policy.enforceOnOwnImage(tx, 'delete_image', ctx, image);
    await this.imports.cancel(tx, imageId, CANCELLED);
    if (taskId !== null) await this.tasks.fail(tx, taskId, CANCELLED.message);
    if (image === undefined) return;
    await this.ends.withdraw(tx, image);
    await this.audit.changed(tx, ctx, { action: 'delete', on: 'image', id: imageId });
  }
}

async function get(tx: Transaction, key: SnapshotKey): Promise<Snapshot> {
  const row = await findSnapshot(tx, key);
  if (row === undefined) throw snapshotNotFound(`request ${key.requestId}`);
  return toSnapshot(row);
}

import type { Image, JobPayload, JobResult, RecordedData, WireError } from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import type { JobEffect } from '../jobs/job-effects.js';
import { RegistrySettings } from '../registry-settings.js';
import { CopyChecks } from './copy-checks.js';
import { DamageReports } from './damage-reports.js';
import { HeldCopies, type HeldCopy, isUpToDate } from './held-copies.js';
import { RepairJobs } from './repair-jobs.js';
import { VerificationQueue } from './verification-queue.js';
import { soon, tomorrow } from './verification-times.js';

type Payload = JobPayload<'verify'>;
type Result = JobResult<'verify'>;

/** What follows from a look at a copy: for the copy, its image and whoever wants to know. */
@Injectable()
export class VerifyJobs implements JobEffect<'verify'> {
  readonly kind = 'verify';

  constructor(
    private readonly copies: HeldCopies,
    private readonly checks: CopyChecks,
    private readonly reports: DamageReports,
    private readonly repairs: RepairJobs,
    private readonly queue: VerificationQueue,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  async completed(tx: Transaction, payload: Payload, result: Result): Promise<void> {
    tx.afterCommit(() => this.queue.wake());
    const copy = await this.copies.find(tx, payload);
    // Deleted, removed or replaced meanwhile: what was found says nothing any more.
    if (copy === undefined) return this.checks.release(tx, payload.locationId);
    if (!isUpToDate(copy, payload.recorded))
      return this.checks.release(tx, payload.locationId, this.clock.now());
    const isHashed = result.found !== null && (await this.recordHashes(tx, copy.stored.image, result.found));
    await this.note(tx, copy, { state: isHashed ? 'intact' : result.state, reason: result.reason });
    if (isHashed) await this.reports.imageChanged(tx, copy.imageId);
  }

  /** The copy could not be read: that is no word on the data, which stays in service or out of it. */
  async failed(tx: Transaction, payload: Payload, { message }: WireError): Promise<void> {
    tx.afterCommit(() => this.queue.wake());
    const copy = await this.copies.find(tx, payload);
    if (copy === undefined) return this.checks.release(tx, payload.locationId);
    const now = this.clock.now();
    const isInService = copy.damagedAt === null;
    await this.checks.note(tx, copy.locationId, {
      ...copy,
      state: isInService ? 'unreachable' : copy.state,
      reason: message,
      checkedAt: now,
      turnAt: soon(this.settings.config.verification, now),
      isBeingRepaired: false,
    });
    await this.reports.looked(tx, copy, { state: 'unreachable', reason: message, isInService });
  }

  private async note(
    tx: Transaction,
    copy: HeldCopy,
    { state, reason }: Pick<Result, 'state' | 'reason'>,
  ): Promise<void> {
    const now = this.clock.now();
    const options = this.settings.config.verification;
    const isBad = state === 'damaged' || state === 'missing';
    const wasBad = copy.damagedAt !== null;
    const look = {
      state,
      reason,
      damagedAt: isBad ? (copy.damagedAt ?? now) : null,
      intactAt: state === 'intact' ? now : copy.intactAt,
      checkedAt: now,
      turnAt: state === 'damaged' ? tomorrow(options, now) : state === 'missing' ? soon(options, now) : now,
      isBeingRepaired: false,
    };
    await this.checks.note(tx, copy.locationId, look);
    await this.reports.looked(tx, copy, { state, reason, isInService: !isBad });
    if (isBad && !wasBad) await this.reports.takenOut(tx, copy, reason);
    if (wasBad && !isBad) {
      await this.reports.takenBack(tx, copy);
      await this.checks.haveDamagedLookedAt(tx, copy.imageId, now);
    }
    if (isBad && (await this.repairs.begin(tx, copy)))
      await this.checks.note(tx, copy.locationId, { ...look, isBeingRepaired: true });
  }

  /** Only of an image that has none; where it has several copies the first that is read decides. */
  private async recordHashes(tx: Transaction, image: Image, found: RecordedData): Promise<boolean> {
    if (image.osHashAlgo !== null || image.checksum !== null) return false;
    await tx.execute(
      'UPDATE images SET size = ?, checksum = ?, os_hash_algo = ?, os_hash_value = ? WHERE id = ?',
      [found.size, found.checksum, found.osHashAlgo, found.osHashValue, image.id],
    );
    return true;
  }
}

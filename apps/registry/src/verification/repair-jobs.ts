import { randomUUID } from 'node:crypto';
import {
  type JobPayload,
  type JobResult,
  type WireError,
  attemptIdOf,
  repairKeyOf,
  storeOf,
} from '@glimpse/contracts';
import { type Transaction, requestChecks } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { ImageReader } from '../images/image-reader.js';
import { DataRemoval } from '../jobs/data-removal.js';
import type { JobEffect } from '../jobs/job-effects.js';
import { JobQueue } from '../jobs/job-queue.js';
import { attemptsOf } from '../jobs/retry.js';
import { ImageLocations } from '../locations/image-locations.js';
import { RegistrySettings } from '../registry-settings.js';
import { CopyChecks } from './copy-checks.js';
import { DamageReports } from './damage-reports.js';
import { HeldCopies, type HeldCopy, isUpToDate } from './held-copies.js';
import { VerificationQueue } from './verification-queue.js';
import { soon, tomorrow } from './verification-times.js';

type Payload = JobPayload<'repair'>;
type Result = JobResult<'repair'>;

/** Puts good copies in the place of damaged ones: the damaged data is let go of when the good one is recorded. */
@Injectable()
export class RepairJobs implements JobEffect<'repair'> {
  readonly kind = 'repair';

  constructor(
    private readonly copies: HeldCopies,
    private readonly checks: CopyChecks,
    private readonly locations: ImageLocations,
    private readonly removal: DataRemoval,
    private readonly reader: ImageReader,
    private readonly reports: DamageReports,
    private readonly jobs: JobQueue,
    private readonly queue: VerificationQueue,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** Whether a repair is on its way: there is another copy, and a hash by which it can be told to be good. */
  async begin(tx: Transaction, { imageId, locationId, location }: HeldCopy): Promise<boolean> {
    if (!this.settings.config.verification.repair) return false;
    const now = await this.reader.findIn(tx, imageId);
    if (now === undefined || now.locations.length === 0) return false;
    const { size, checksum, osHashAlgo, osHashValue } = now.image;
    if (checksum === null && osHashValue === null) return false;
    await this.jobs.enqueue(tx, 'repair', {
      imageId,
      locationId,
      location,
      recorded: { size, checksum, osHashAlgo, osHashValue },
      sources: [...now.locations],
      repairId: randomUUID(),
    });
    return true;
  }

  async completed(tx: Transaction, payload: Payload, result: Result): Promise<void> {
    tx.afterCommit(() => this.queue.wake());
    const copy = await this.copies.find(tx, payload);
    const isWanted = copy !== undefined && copy.damagedAt !== null && isUpToDate(copy, payload.recorded);
    if (copy === undefined || !isWanted) {
      if (result.outcome === 'repaired') await this.removal.queue(tx, payload.imageId, [result.location]);
      return this.checks.release(tx, payload.locationId);
    }
    if (result.outcome === 'repaired') await this.replace(tx, copy, result.location);
    else await this.postpone(tx, copy, result.reason);
    await this.suspect(tx, copy, result.suspects);
  }

  /** It will not be tried again before the copy is looked at again; its attempts may have left something. */
  async failed(tx: Transaction, payload: Payload, { message }: WireError): Promise<void> {
    tx.afterCommit(() => this.queue.wake());
    const copy = await this.copies.find(tx, payload);
    if (copy === undefined) await this.checks.release(tx, payload.locationId);
    else await this.postpone(tx, copy, message, soon(this.settings.config.verification, this.clock.now()));
    await this.jobs.enqueue(tx, 'delete-data', {
      imageId: payload.imageId,
      locations: [],
      leftovers: this.leftoversOf(payload),
    });
  }

  private async replace(tx: Transaction, copy: HeldCopy, good: HeldCopy['location']): Promise<void> {
    const { imageId, locationId } = copy;
    const recorded = await this.locations.find(tx, imageId);
    await this.locations.remove(
      tx,
      imageId,
      recorded.filter(({ rowId }) => rowId === locationId),
    );
    await this.checks.forget(tx, [locationId]);
    // What the operator or the store noted beside the location goes for the new one too.
    const location = { url: good.url, metadata: { ...copy.location.metadata, ...good.metadata } };
    await this.locations.add(tx, imageId, location);
    await this.noteAsIntact(tx, imageId, location.url);
    await this.reports.repaired(tx, copy);
    await this.checks.haveDamagedLookedAt(tx, imageId, this.clock.now());
  }

  private async noteAsIntact(tx: Transaction, imageId: string, url: string): Promise<void> {
    const now = this.clock.now();
    const added = (await this.checks.findOf(tx, imageId)).find(({ location }) => location.url === url);
    if (added === undefined) return;
    await tx.insert('location_checks', [
      {
        location_id: added.locationId,
        image_id: imageId,
        state: 'intact',
        intact_at: now,
        checked_at: now,
        turn_at: now,
      },
    ]);
  }

  private async postpone(
    tx: Transaction,
    copy: HeldCopy,
    reason: string,
    turnAt = tomorrow(this.settings.config.verification, this.clock.now()),
  ): Promise<void> {
    await this.checks.release(tx, copy.locationId);
    await this.checks.postpone(tx, copy.locationId, turnAt);
    this.reports.notRepaired(tx, copy, reason);
  }

  /** Copies that a repair could not use are looked at themselves. */
  private async suspect(tx: Transaction, { imageId }: HeldCopy, urls: readonly string[]): Promise<void> {
    const copies = (await this.checks.findOf(tx, imageId)).filter(({ location }) =>
      urls.includes(location.url),
    );
    await requestChecks(
      tx,
      copies.map(({ locationId }) => ({ id: locationId, image_id: imageId })),
      this.clock.now(),
    );
  }

  private leftoversOf({ imageId, repairId, location }: Payload) {
    const storeId = storeOf(location) ?? this.settings.config.defaultStore;
    const attempts = attemptsOf(this.kind, this.settings.config);
    return Array.from({ length: attempts }, (_, index) => ({
      storeId,
      uploadId: attemptIdOf(repairId, index + 1),
      key: repairKeyOf(imageId, repairId),
    }));
  }
}

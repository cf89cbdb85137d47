import { type SqlReader, Database, type Transaction } from '@glimpse/persistence';
import { addChecks, findLocationsAfter, withoutChecks } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { JobQueue } from '../jobs/job-queue.js';
import { SingletonLeases } from '../leases/singleton-leases.js';
import { RegistrySettings } from '../registry-settings.js';
import { Repeater } from '../repeater.js';
import { CopyChecks, type DueCopy } from './copy-checks.js';
import { intervalMsOf, soon } from './verification-times.js';

const LEASE = 'verification';
/** Locations that are looked through at once for new ones. */
const BATCH = 500;
/** A transaction may commit a location after another one has committed one with a greater id. */
const OVERLAP = 200;
/** How often all locations are looked through, e.g. for those of images that were restored. */
const SWEEP_MS = 3_600_000;

/**
 * Hands copies to the store-workers to be verified, in their turn, only so many at once that together they keep to the
 * bound of bytes per second. All of it is in the database: any registry can go on at any time.
 */
@Injectable()
export class VerificationQueue {
  private readonly repeater: Repeater;
  private sweptUpTo = 0;
  private sweptAt: number;

  constructor(
    private readonly database: Database,
    private readonly checks: CopyChecks,
    private readonly jobs: JobQueue,
    private readonly leases: SingletonLeases,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {
    this.sweptAt = clock.now();
    this.repeater = new Repeater('verification', settings.logger, () => this.look());
  }

  start(): void {
    this.repeater.start(() => this.settings.config.jobs.pollMs);
  }

  /** Resolves when it is not at work any more. */
  stop(): Promise<void> {
    return this.repeater.stop();
  }

  /** There may be a free place, or something to verify. */
  wake(): void {
    this.repeater.wake();
  }

  /** Looks once for what is due. */
  async look(): Promise<void> {
    await this.noteNewLocations();
    if ((await this.freePlaces(this.database)) <= 0) return;
    if ((await this.findDue(this.database, 1)).length === 0) return;
    // One registry at a time, so that no more are handed out than there are places.
    if (!(await this.leases.hold(LEASE))) return;
    try {
      if (await this.database.unitOfWork.run((tx) => this.fill(tx))) this.wake();
    } finally {
      await this.leases.release(LEASE);
    }
  }

  /** Whether there may be more to do at once. */
  private async fill(tx: Transaction): Promise<boolean> {
    const places = await this.freePlaces(tx);
    if (places <= 0) return false;
    let isAnySkipped = false;
    for (const copy of await this.findDue(tx, places))
      isAnySkipped = !(await this.handOut(tx, copy)) || isAnySkipped;
    return isAnySkipped;
  }

  private async handOut(tx: Transaction, copy: DueCopy): Promise<boolean> {
    const { locationId, imageId, location, recorded } = copy;
    const now = this.clock.now();
    if (recorded === null) {
      if (copy.isGone) await this.checks.forget(tx, [locationId]);
      else await this.checks.postpone(tx, locationId, soon(this.options, now));
      return false;
    }
    if (!(await this.checks.claim(tx, locationId, now))) return false;
    const { bytesPerSecond, concurrency } = this.options;
    await this.jobs.enqueue(tx, 'verify', {
      imageId,
      locationId,
      location,
      recorded,
      bytesPerSecond: bytesPerSecond === 0 ? null : Math.max(1, Math.floor(bytesPerSecond / concurrency)),
      missingHashes: this.missingHashes(copy),
      witnesses: await this.checks.findWitnesses(tx, copy),
    });
    return true;
  }

  /** What to compute of data without any hash. An algorithm without a value says that another job is at it. */
  private missingHashes({ recorded, isRequested }: DueCopy) {
    const { recordMissingHashes } = this.options;
    const mayRecord =
      recordMissingHashes === 'always' || (recordMissingHashes === 'on_request' && isRequested);
    if (!mayRecord || recorded?.osHashAlgo !== null || recorded.checksum !== null) return null;
    const { hashingAlgorithm, md5Checksum } = this.settings.config.images;
    return { algorithm: hashingAlgorithm, md5: md5Checksum };
  }

  private findDue(sql: SqlReader, limit: number): Promise<DueCopy[]> {
    const isScheduled = this.options.intervalDays > 0;
    const turnAt = isScheduled ? this.clock.now() - intervalMsOf(this.options) : null;
    return this.checks.findDue(sql, turnAt, limit);
  }

  private async freePlaces(sql: SqlReader): Promise<number> {
    const [row] = await sql.query<{ taken: number }>(
      "SELECT COUNT(*) AS taken FROM jobs WHERE status IN ('queued', 'running') AND kind IN ('verify', 'repair')",
    );
    return this.options.concurrency - (row?.taken ?? 0);
  }

  /** Their first turns are spread evenly over the interval. */
  private async noteNewLocations(): Promise<void> {
    const batch = await findLocationsAfter(this.database, this.sweptUpTo, BATCH);
    const fresh = await withoutChecks(this.database, batch);
    if (fresh.length > 0) await this.noteAll(fresh);
    const last = batch.at(-1)?.id;
    const now = this.clock.now();
    if (last !== undefined && batch.length === BATCH) {
      this.sweptUpTo = last;
      this.wake();
    } else if (now - this.sweptAt >= SWEEP_MS) {
      this.sweptUpTo = 0;
      this.sweptAt = now;
    } else this.sweptUpTo = Math.max(0, (last ?? this.sweptUpTo) - OVERLAP);
  }

  private async noteAll(locations: Parameters<typeof addChecks>[1]): Promise<void> {
    const now = this.clock.now();
    const interval = intervalMsOf(this.options);
    const turnAt = () => now - Math.floor(Math.random() * interval);
    await this.database.unitOfWork.run((tx) => addChecks(tx, locations, turnAt));
  }

  private get options() {
    return this.settings.config.verification;
  }
}

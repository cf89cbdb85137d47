import {
  type Image,
  type ImageLocation,
  type ImageStatus,
  type JobPayload,
  type JobResult,
  type Progress,
  type WireError,
  imageEvents,
  isServiceError,
} from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { HeldImages } from '../images/held-images.js';
import { ImageReader } from '../images/image-reader.js';
import { moveImage } from '../images/image-state.js';
import type { StoredImage } from '../images/stored-image.js';
import type { JobEffect } from '../jobs/job-effects.js';
import { JobQueue } from '../jobs/job-queue.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { ProjectQuotas } from '../quotas/project-quotas.js';
import { RegistrySettings } from '../registry-settings.js';
import { TaskRecords } from '../tasks/task-records.js';
import { ImageLocations } from './image-locations.js';

type Probe = JobPayload<'probe-location'>;
type Probed = JobResult<'probe-location'>;
type Hash = JobPayload<'hash-location'>;
type Hashed = JobResult<'hash-location'>;

const MEBIBYTE = 1_048_576;

const isOnTheWeb = ({ url }: ImageLocation) => /^https?:\/\//i.test(url);

/** What an image has to become before the next step of the task; the reason where it can't. */
type Step = { readonly done: true } | { readonly done: false; readonly reason: string };

/** What follows from the jobs of a `location_import` task (the table of spec/api-images.md section 9.2). */
@Injectable()
export class LocationImports {
  constructor(
    private readonly held: HeldImages,
    private readonly reader: ImageReader,
    private readonly locations: ImageLocations,
    private readonly tasks: TaskRecords,
    private readonly quotas: ProjectQuotas,
    private readonly jobs: JobQueue,
    private readonly outbox: OutboxWriter,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  readonly probe: JobEffect<'probe-location'> = {
    kind: 'probe-location',
    started: async (tx, { taskId }) => void (await this.tasks.process(tx, taskId)),
    completed: (tx, payload, probed) => this.register(tx, payload, probed),
    failed: (tx, { taskId }, { message }) => this.tasks.fail(tx, taskId, message),
  };

  readonly hash: JobEffect<'hash-location'> = {
    kind: 'hash-location',
    started: async (tx, { taskId }) => void (await this.tasks.process(tx, taskId)),
    progressed: (tx, { taskId }, progress) => this.report(tx, taskId, progress),
    completed: (tx, payload, hashed) =>
      payload.expectedValue === null ? this.fill(tx, payload, hashed) : this.verify(tx, payload, hashed),
    failed: (tx, payload, error) => this.giveUp(tx, payload, error),
  };

  private report(tx: Transaction, taskId: string, { bytesDone }: Progress): Promise<void> {
    return this.tasks.report(tx, taskId, `Hashed ${Math.floor(bytesDone / MEBIBYTE)} MiB`);
  }

  /** There is data: the location becomes the image's, which is active at once where nothing is to be verified. */
  private async register(tx: Transaction, payload: Probe, probed: Probed): Promise<void> {
    const step = await this.tryToRegister(tx, payload, probed);
    if (!step.done) await this.tasks.fail(tx, payload.taskId, step.reason);
  }

  private async tryToRegister(tx: Transaction, payload: Probe, probed: Probed): Promise<Step> {
    const { imageId, ctx, url } = payload;
    try {
      await this.quotas.admitStored(tx, ctx, imageId, probed.size);
    } catch (error) {
      if (isServiceError(error, 'QUOTA_EXCEEDED')) return { done: false, reason: error.message };
      throw error;
    }
    const stored = await this.findHeld(tx, imageId);
    if (stored === undefined) return { done: false, reason: 'The image was deleted.' };
    const { status, diskFormat, containerFormat } = stored.image;
    if (status !== 'queued') return { done: false, reason: `The image is ${status} in the meantime.` };
    if (diskFormat === null || containerFormat === null)
      return {
        done: false,
        reason: 'Properties disk_format, container_format must be set prior to saving data.',
      };
    const location: ImageLocation = {
      url,
      metadata: this.settings.config.isMultiStore ? { store: probed.storeId } : {},
    };
    await this.locations.forgetUnverified(tx, imageId);
    await this.locations.add(tx, imageId, location);
    await this.audit.changed(tx, ctx, { action: 'create', on: 'location', id: imageId });
    await this.goOn(tx, payload, { location, size: probed.size, diskFormat, containerFormat });
    return { done: true };
  }

  /** What the configuration and the client's digest ask for next. */
  private async goOn(
    tx: Transaction,
    { imageId, taskId, expected }: Probe,
    data: Pick<Hash, 'location' | 'size' | 'diskFormat' | 'containerFormat'>,
  ): Promise<void> {
    const { doSecureHash, hashingAlgorithm, md5Checksum } = this.settings.config.images;
    const { size } = data;
    if (!doSecureHash) {
      // What the client says is taken on trust.
      await this.move(tx, imageId, 'queued', 'active', {
        size,
        os_hash_algo: expected?.algorithm ?? null,
        os_hash_value: expected?.value ?? null,
      });
      await this.tasks.succeed(tx, taskId, { image_id: imageId });
      return;
    }
    // An algorithm without a value says that the data is being hashed.
    if (expected === null)
      await this.move(tx, imageId, 'queued', 'active', { size, os_hash_algo: hashingAlgorithm });
    else await this.move(tx, imageId, 'queued', 'importing', { size });
    await this.jobs.enqueue(tx, 'hash-location', {
      imageId,
      taskId,
      ...data,
      algorithm: expected?.algorithm ?? hashingAlgorithm,
      md5: md5Checksum,
      expectedValue: expected?.value ?? null,
    });
  }

  /** The data was read to the end: the image becomes active when it is what the client said, else it has no data. */
  private async verify(tx: Transaction, payload: Hash, hashed: Hashed): Promise<void> {
    const { imageId, taskId, algorithm, expectedValue } = payload;
    if (hashed.osHashValue !== expectedValue) {
      await this.withdraw(tx, payload);
      await this.tasks.fail(
        tx,
        taskId,
        'The data at the location does not have the hash that was given for it.',
      );
      return;
    }
    const isActive = await this.move(tx, imageId, 'importing', 'active', {
      size: hashed.size,
      virtual_size: hashed.virtualSize,
      checksum: hashed.checksum,
      os_hash_algo: algorithm,
      os_hash_value: hashed.osHashValue,
    });
    if (isActive) await this.tasks.succeed(tx, taskId, { image_id: imageId });
    else await this.tasks.fail(tx, taskId, 'The image was deleted in the meantime.');
  }

  /** Adds the hashes that the image lacks, where it still has that location. */
  private async fill(tx: Transaction, payload: Hash, hashed: Hashed): Promise<void> {
    const { imageId, taskId, algorithm, location } = payload;
    const stored = await this.findHeld(tx, imageId);
    const isThere = stored?.locations.some(({ url }) => url === location.url) === true;
    if (stored !== undefined && !isThere) await this.endWithoutHashes(tx, stored);
    else if (stored?.image.osHashValue === null) {
      await tx.execute(
        `UPDATE images SET checksum = ?, os_hash_algo = ?, os_hash_value = ?, virtual_size = ?, updated_at = ?
          WHERE id = ?`,
        [
          hashed.checksum,
          algorithm,
          hashed.osHashValue,
          hashed.virtualSize,
          this.clock.databaseNow(),
          imageId,
        ],
      );
      await this.announce(tx, imageEvents.updated, imageId);
    }
    await this.tasks.succeed(tx, taskId, { image_id: imageId });
  }

  /** The data could not be read: to verify it that was needed, without it the image only stays without hashes. */
  private async giveUp(tx: Transaction, payload: Hash, { message }: WireError): Promise<void> {
    const { taskId, imageId, expectedValue } = payload;
    if (expectedValue === null) {
      const stored = await this.findHeld(tx, imageId);
      if (stored !== undefined) await this.endWithoutHashes(tx, stored);
      const note = `The image has no hashes: ${message}`;
      await this.tasks.succeed(tx, taskId, { image_id: imageId }, note);
      return;
    }
    await this.withdraw(tx, payload);
    await this.tasks.fail(tx, taskId, message);
  }

  /** Takes back the word that a value of the algorithm is to come. */
  private async endWithoutHashes(tx: Transaction, { image }: StoredImage): Promise<void> {
    if (image.osHashAlgo === null || image.osHashValue !== null) return;
    await tx.execute('UPDATE images SET os_hash_algo = NULL, updated_at = ? WHERE id = ?', [
      this.clock.databaseNow(),
      image.id,
    ]);
    await this.announce(tx, imageEvents.updated, image.id);
  }

  /**
   * importing → queued. As in Glance the image still refers to what lies on the web, which nobody is served before other
   * data takes its place; any other location is forgotten. The data is left alone: whoever registered it put it there.
   */
  private async withdraw(tx: Transaction, { imageId, location }: Hash): Promise<void> {
    const stored = await this.findHeld(tx, imageId);
    if (stored?.image.status !== 'importing') return;
    if (!isOnTheWeb(location)) await this.locations.forgetUnverified(tx, imageId);
    await this.move(tx, imageId, 'importing', 'queued', {
      checksum: null,
      os_hash_algo: null,
      os_hash_value: null,
    });
  }

  private async move(
    tx: Transaction,
    id: string,
    from: ImageStatus,
    to: ImageStatus,
    set: NonNullable<Parameters<typeof moveImage>[2]['set']>,
  ): Promise<boolean> {
    const isMoved = await moveImage(tx, id, { from, to, now: this.clock.databaseNow(), set });
    if (isMoved) await this.announce(tx, to === 'active' ? imageEvents.activated : imageEvents.updated, id);
    return isMoved;
  }

  private async announce(tx: Transaction, event: typeof imageEvents.updated, id: string): Promise<void> {
    const image: Image | undefined = (await this.reader.findIn(tx, id))?.image;
    if (image !== undefined) await this.outbox.write(tx, event, id, { image });
  }

  private async findHeld(tx: Transaction, id: string): Promise<StoredImage | undefined> {
    try {
      return await this.held.hold(tx, id);
    } catch (error) {
      if (isServiceError(error, 'IMAGE_NOT_FOUND')) return undefined;
      throw error;
    }
  }
}

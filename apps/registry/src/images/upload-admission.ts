import { type Caller, type Image, ServiceError, type UploadTicket } from '@glimpse/contracts';
import { type Transaction, UniqueViolation } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { UploadLeases } from '../leases/upload-leases.js';
import { ProjectQuotas } from '../quotas/project-quotas.js';
import { RegistrySettings } from '../registry-settings.js';
import { moveImage } from './image-state.js';

/** Data that a gateway wants to receive. */
export interface WantedUpload {
  readonly ctx: Caller;
  readonly uploadId: string;
  readonly instanceId: string;
  readonly storeId: string;
  /** Bytes, where they were announced. */
  readonly size: number | null;
}

export const lostRace = (id: string) =>
  new ServiceError('IMAGE_LOST_RACE', `Image ${id} was changed or deleted during the upload.`);

/** Lets data be received: for the stores (`saving`) or to be imported later (`uploading`). */
@Injectable()
export class UploadAdmission {
  constructor(
    private readonly leases: UploadLeases,
    private readonly quotas: ProjectQuotas,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /**
   * queued → `to`, for one of those who try at once; again for the one who has it already. Answers with the bytes that
   * data of unknown size may come to, where there is a limit.
   */
  async admit(
    tx: Transaction,
    image: Image,
    upload: WantedUpload,
    to: 'saving' | 'uploading',
  ): Promise<number | undefined> {
    const { ctx, size } = upload;
    const held = await this.leases.find(tx, upload.uploadId);
    if (held?.image_id === image.id && held.state === 'held')
      return this.quotas.remaining(tx, ctx, image.owner);
    if (image.status !== 'queued')
      throw new ServiceError(
        'IMAGE_STATUS_CONFLICT',
        `Image status transition from ${image.status} to ${to} is not allowed`,
      );
    if (to === 'saving') formatsOf(image);
    this.checkSize(size);
    const sizeCap =
      to === 'saving'
        ? await this.quotas.admitUpload(tx, ctx, image.owner, size)
        : await this.quotas.admitStaging(tx, ctx, image.owner, size);
    const isMine = await moveImage(tx, image.id, { from: 'queued', to, now: this.clock.databaseNow() });
    if (!isMine) throw lostRace(image.id);
    await this.takeLease(tx, { ...upload, imageId: image.id });
    return sizeCap;
  }

  private async takeLease(tx: Transaction, upload: WantedUpload & { imageId: string }): Promise<void> {
    try {
      await this.leases.take(tx, upload);
    } catch (error) {
      // It was given up before it began.
      throw error instanceof UniqueViolation ? lostRace(upload.imageId) : error;
    }
  }

  private checkSize(size: number | null): void {
    const cap = this.settings.config.limits.imageSizeCap;
    if (size !== null && size > cap)
      throw new ServiceError('QUOTA_EXCEEDED', `Image exceeds the maximum size of ${cap} bytes.`);
  }
}

/** Both formats; without them data can not be uploaded. */
export function formatsOf({
  diskFormat,
  containerFormat,
}: Image): Pick<UploadTicket, 'diskFormat' | 'containerFormat'> {
  if (diskFormat !== null && containerFormat !== null) return { diskFormat, containerFormat };
  throw new ServiceError(
    'IMAGE_FORMATS_MISSING',
    'Properties disk_format, container_format must be set prior to saving data.',
  );
}

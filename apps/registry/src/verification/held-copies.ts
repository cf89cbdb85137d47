import { type JobPayload, type RecordedData, isServiceError } from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { HeldImages } from '../images/held-images.js';
import type { StoredImage } from '../images/stored-image.js';
import { type Copy, CopyChecks } from './copy-checks.js';

/** A copy whose image the transaction holds. */
export interface HeldCopy extends Copy {
  readonly stored: StoredImage;
}

/** Where the end of every job on a copy begins. */
@Injectable()
export class HeldCopies {
  constructor(
    private readonly held: HeldImages,
    private readonly checks: CopyChecks,
  ) {}

  /** The copy that the job was about; undefined where the image, or its location, is gone or another one. */
  async find(
    tx: Transaction,
    { imageId, locationId, location }: JobPayload<'verify' | 'repair'>,
  ): Promise<HeldCopy | undefined> {
    try {
      const stored = await this.held.hold(tx, imageId);
      const copy = await this.checks.find(tx, locationId);
      return copy?.location.url === location.url ? { ...copy, stored } : undefined;
    } catch (error) {
      if (isServiceError(error, 'IMAGE_NOT_FOUND')) return undefined;
      throw error;
    }
  }
}

/** Whether the job compared the data with what is recorded of the image now. */
export const isUpToDate = ({ stored: { image } }: HeldCopy, recorded: RecordedData): boolean =>
  recorded.size === image.size &&
  recorded.checksum === image.checksum &&
  recorded.osHashAlgo === image.osHashAlgo &&
  recorded.osHashValue === image.osHashValue;

import { type Caller, type Image, ServiceError } from '@glimpse/contracts';
import { Injectable } from '@nestjs/common';
import { PropertyProtection } from '../property-protection/property-protection.js';
import { revisionOf } from './image-revision.js';
import type { StoredImage } from './stored-image.js';

/** What of an image goes to a caller. */
@Injectable()
export class ImageAnswers {
  constructor(private readonly protection: PropertyProtection) {}

  /** The image as the caller may see it, with its revision. */
  toAnswer(ctx: Caller, stored: StoredImage): Image {
    const shown = this.protection.visibleTo(ctx, stored.image);
    return { ...shown, revision: revisionOf(stored, shown) };
  }

  /** Throws PRECONDITION_FAILED where the image is none of the revisions that the caller had in mind. */
  checkRevision(ctx: Caller, stored: StoredImage, ifMatch: readonly string[] | undefined): void {
    if (ifMatch === undefined) return;
    if (!ifMatch.includes(revisionOf(stored, this.protection.visibleTo(ctx, stored.image))))
      throw new ServiceError('PRECONDITION_FAILED', `Image ${stored.image.id} was changed in the meantime.`);
  }
}

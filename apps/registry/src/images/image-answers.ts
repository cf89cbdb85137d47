import { type Caller, type Image, ServiceError } from '@glimpse/contracts';
import { Injectable } from '@nestjs/common';
import { shownLocations } from '../locations/shown-locations.js';
import { PolicyEngine } from '../policy/policy.engine.js';
import { PropertyProtection } from '../property-protection/property-protection.js';
import { RegistrySettings } from '../registry-settings.js';
import { revisionOf } from './image-revision.js';
import type { StoredImage } from './stored-image.js';

/** What of an image goes to a caller. */
@Injectable()
export class ImageAnswers {
  constructor(
    private readonly protection: PropertyProtection,
    private readonly policy: PolicyEngine,
    private readonly settings: RegistrySettings,
  ) {}

  /** The image as the caller may see it, with its revision. */
  toAnswer(ctx: Caller, stored: StoredImage): Image {
    const shown = this.protection.visibleTo(ctx, stored.image);
    return { ...shown, ...this.locationsOf(ctx, stored), revision: revisionOf(stored, shown) };
  }

  /** The image as the caller may see it in a list. */
  toListItem(ctx: Caller, stored: StoredImage): Image {
    return { ...this.protection.visibleTo(ctx, stored.image), ...this.locationsOf(ctx, stored) };
  }

  private locationsOf(ctx: Caller, stored: StoredImage): Partial<Image> {
    return shownLocations(stored, this.policy.isAdmin(ctx), this.settings.config.images);
  }

  /** Throws PRECONDITION_FAILED where the image is none of the revisions that the caller had in mind. */
  checkRevision(ctx: Caller, stored: StoredImage, ifMatch: readonly string[] | undefined): void {
    if (ifMatch === undefined) return;
    if (!ifMatch.includes(revisionOf(stored, this.protection.visibleTo(ctx, stored.image))))
      throw new ServiceError('PRECONDITION_FAILED', `Image ${stored.image.id} was changed in the meantime.`);
  }
}

import { type Caller, ServiceError } from '@glimpse/contracts';
import { Injectable } from '@nestjs/common';
import { checkQuota, checkTag } from '../images/image-values.js';
import { ImagesService } from '../images/images.service.js';
import { RegistrySettings } from '../registry-settings.js';

@Injectable()
export class TagsService {
  constructor(
    private readonly images: ImagesService,
    private readonly settings: RegistrySettings,
  ) {}

  /** A tag that the image has already is no error. */
  async add(ctx: Caller, id: string, tag: string): Promise<void> {
    checkTag(tag);
    await this.images.change(ctx, id, (image) => {
      const tags = [...new Set([...image.tags, tag])];
      if (tags.length > image.tags.length)
        checkQuota('tags', tags.length, this.settings.config.limits.tagQuota);
      return { ...image, tags };
    });
  }

  async remove(ctx: Caller, id: string, tag: string): Promise<void> {
    await this.images.change(ctx, id, (image) => {
      if (!image.tags.includes(tag))
        throw new ServiceError('TAG_NOT_FOUND', `Could not find tag ${tag} of image ${image.id}.`);
      return { ...image, tags: image.tags.filter((other) => other !== tag) };
    });
  }
}

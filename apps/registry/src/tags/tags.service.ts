import { type Caller, type Image, ServiceError } from '@glimpse/contracts';
import { Injectable } from '@nestjs/common';
import { checkQuota, checkTag } from '../images/image-values.js';
import { type ChangeOptions, ImagesService } from '../images/images.service.js';
import { RegistrySettings } from '../registry-settings.js';

type IfMatch = Pick<ChangeOptions, 'ifMatch'>;

/** The tags of an image, one at a time. */
@Injectable()
export class TagsService {
  constructor(
    private readonly images: ImagesService,
    private readonly settings: RegistrySettings,
  ) {}

  /** A tag that the image has already is no error. */
  async add(ctx: Caller, id: string, tag: string, options: IfMatch = {}): Promise<void> {
    checkTag(tag);
    const add = (image: Image) => {
      const tags = [...new Set([...image.tags, tag])];
      if (tags.length > image.tags.length)
        checkQuota('tags', tags.length, this.settings.config.limits.tagQuota);
      return { ...image, tags };
    };
    await this.images.change(ctx, id, add, { ...options, audited: { action: 'create', on: 'tag' } });
  }

  async remove(ctx: Caller, id: string, tag: string, options: IfMatch = {}): Promise<void> {
    const remove = (image: Image) => {
      if (!image.tags.includes(tag))
        throw new ServiceError('TAG_NOT_FOUND', `Could not find tag ${tag} of image ${image.id}.`);
      return { ...image, tags: image.tags.filter((other) => other !== tag) };
    };
    await this.images.change(ctx, id, remove, { ...options, audited: { action: 'delete', on: 'tag' } });
  }
}

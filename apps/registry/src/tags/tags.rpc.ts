import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryImages } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { TagsService } from './tags.service.js';

type Calls = typeof registryImages;

@Controller()
export class TagsRpc {
  constructor(private readonly tags: TagsService) {}

  @HandleRpc(registryImages.addTag)
  async add({ ctx, id, tag, ifMatch }: RequestOf<Calls['addTag']>): Promise<ResponseOf<Calls['addTag']>> {
    await this.tags.add(ctx, id, tag, { ifMatch });
    return {};
  }

  @HandleRpc(registryImages.removeTag)
  async remove({
    ctx,
    id,
    tag,
    ifMatch,
  }: RequestOf<Calls['removeTag']>): Promise<ResponseOf<Calls['removeTag']>> {
    await this.tags.remove(ctx, id, tag, { ifMatch });
    return {};
  }
}

import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryMetadefTags } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { MetadefTagsService } from './metadef-tags.service.js';

type Calls = typeof registryMetadefTags;

@Controller()
export class MetadefTagsRpc {
  constructor(private readonly tags: MetadefTagsService) {}

  @HandleRpc(registryMetadefTags.list)
  async list({ ctx, namespace, query }: RequestOf<Calls['list']>): Promise<ResponseOf<Calls['list']>> {
    return { tags: await this.tags.list(ctx, namespace, query) };
  }

  @HandleRpc(registryMetadefTags.create)
  create({ ctx, namespace, name }: RequestOf<Calls['create']>): Promise<ResponseOf<Calls['create']>> {
    return this.tags.create(ctx, namespace, name);
  }

  @HandleRpc(registryMetadefTags.createMany)
  async createMany({
    ctx,
    namespace,
    names,
    isAppend,
  }: RequestOf<Calls['createMany']>): Promise<ResponseOf<Calls['createMany']>> {
    return { tags: await this.tags.createMany(ctx, namespace, names, isAppend) };
  }

  @HandleRpc(registryMetadefTags.get)
  get({ ctx, namespace, name }: RequestOf<Calls['get']>): Promise<ResponseOf<Calls['get']>> {
    return this.tags.get(ctx, namespace, name);
  }

  @HandleRpc(registryMetadefTags.rename)
  rename({
    ctx,
    namespace,
    name,
    newName,
  }: RequestOf<Calls['rename']>): Promise<ResponseOf<Calls['rename']>> {
    return this.tags.rename(ctx, namespace, name, newName);
  }

  @HandleRpc(registryMetadefTags.delete)
  async delete({ ctx, namespace, name }: RequestOf<Calls['delete']>): Promise<ResponseOf<Calls['delete']>> {
    await this.tags.delete(ctx, namespace, name);
    return {};
  }

  @HandleRpc(registryMetadefTags.deleteAll)
  async deleteAll({
    ctx,
    namespace,
  }: RequestOf<Calls['deleteAll']>): Promise<ResponseOf<Calls['deleteAll']>> {
    await this.tags.deleteAll(ctx, namespace);
    return {};
  }
}

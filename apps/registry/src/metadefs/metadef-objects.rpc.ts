import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryMetadefObjects } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { MetadefObjectsService } from './metadef-objects.service.js';

type Calls = typeof registryMetadefObjects;

@Controller()
export class MetadefObjectsRpc {
  constructor(private readonly objects: MetadefObjectsService) {}

  @HandleRpc(registryMetadefObjects.list)
  async list({ ctx, namespace }: RequestOf<Calls['list']>): Promise<ResponseOf<Calls['list']>> {
    return { objects: await this.objects.list(ctx, namespace) };
  }

  @HandleRpc(registryMetadefObjects.create)
  create({ ctx, namespace, object }: RequestOf<Calls['create']>): Promise<ResponseOf<Calls['create']>> {
    return this.objects.create(ctx, namespace, object);
  }

  @HandleRpc(registryMetadefObjects.get)
  get({ ctx, namespace, name }: RequestOf<Calls['get']>): Promise<ResponseOf<Calls['get']>> {
    return this.objects.get(ctx, namespace, name);
  }

  @HandleRpc(registryMetadefObjects.update)
  update({ ctx, namespace, name, object }: RequestOf<Calls['update']>): Promise<ResponseOf<Calls['update']>> {
    return this.objects.update(ctx, namespace, name, object);
  }

  @HandleRpc(registryMetadefObjects.delete)
  async delete({ ctx, namespace, name }: RequestOf<Calls['delete']>): Promise<ResponseOf<Calls['delete']>> {
    await this.objects.delete(ctx, namespace, name);
    return {};
  }

  @HandleRpc(registryMetadefObjects.deleteAll)
  async deleteAll({
    ctx,
    namespace,
  }: RequestOf<Calls['deleteAll']>): Promise<ResponseOf<Calls['deleteAll']>> {
    await this.objects.deleteAll(ctx, namespace);
    return {};
  }
}

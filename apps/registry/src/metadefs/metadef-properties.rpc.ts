import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryMetadefProperties } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { MetadefPropertiesService } from './metadef-properties.service.js';

type Calls = typeof registryMetadefProperties;

@Controller()
export class MetadefPropertiesRpc {
  constructor(private readonly properties: MetadefPropertiesService) {}

  @HandleRpc(registryMetadefProperties.list)
  async list({ ctx, namespace }: RequestOf<Calls['list']>): Promise<ResponseOf<Calls['list']>> {
    return { properties: await this.properties.list(ctx, namespace) };
  }

  @HandleRpc(registryMetadefProperties.create)
  create({
    ctx,
    namespace,
    name,
    property,
  }: RequestOf<Calls['create']>): Promise<ResponseOf<Calls['create']>> {
    return this.properties.create(ctx, namespace, { name, property });
  }

  @HandleRpc(registryMetadefProperties.get)
  get({ ctx, namespace, name, resourceType }: RequestOf<Calls['get']>): Promise<ResponseOf<Calls['get']>> {
    return this.properties.get(ctx, namespace, name, resourceType);
  }

  @HandleRpc(registryMetadefProperties.update)
  update({
    ctx,
    namespace,
    name,
    newName,
    property,
  }: RequestOf<Calls['update']>): Promise<ResponseOf<Calls['update']>> {
    return this.properties.update(ctx, namespace, name, { name: newName, property });
  }

  @HandleRpc(registryMetadefProperties.delete)
  async delete({ ctx, namespace, name }: RequestOf<Calls['delete']>): Promise<ResponseOf<Calls['delete']>> {
    await this.properties.delete(ctx, namespace, name);
    return {};
  }

  @HandleRpc(registryMetadefProperties.deleteAll)
  async deleteAll({
    ctx,
    namespace,
  }: RequestOf<Calls['deleteAll']>): Promise<ResponseOf<Calls['deleteAll']>> {
    await this.properties.deleteAll(ctx, namespace);
    return {};
  }
}

import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryMetadefResourceTypes } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { MetadefResourceTypesService } from './metadef-resource-types.service.js';

type Calls = typeof registryMetadefResourceTypes;

@Controller()
export class MetadefResourceTypesRpc {
  constructor(private readonly resourceTypes: MetadefResourceTypesService) {}

  @HandleRpc(registryMetadefResourceTypes.list)
  async list({ ctx }: RequestOf<Calls['list']>): Promise<ResponseOf<Calls['list']>> {
    return { resourceTypes: await this.resourceTypes.list(ctx) };
  }

  @HandleRpc(registryMetadefResourceTypes.listAssociations)
  async listAssociations({
    ctx,
    namespace,
  }: RequestOf<Calls['listAssociations']>): Promise<ResponseOf<Calls['listAssociations']>> {
    return { associations: await this.resourceTypes.listAssociations(ctx, namespace) };
  }

  @HandleRpc(registryMetadefResourceTypes.associate)
  associate({
    ctx,
    namespace,
    association,
  }: RequestOf<Calls['associate']>): Promise<ResponseOf<Calls['associate']>> {
    return this.resourceTypes.associate(ctx, namespace, association);
  }

  @HandleRpc(registryMetadefResourceTypes.dissociate)
  async dissociate({
    ctx,
    namespace,
    name,
  }: RequestOf<Calls['dissociate']>): Promise<ResponseOf<Calls['dissociate']>> {
    await this.resourceTypes.dissociate(ctx, namespace, name);
    return {};
  }
}

import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryMetadefNamespaces } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { MetadefNamespaceListService } from './metadef-namespace-list.service.js';
import { MetadefNamespacesService } from './metadef-namespaces.service.js';

type Calls = typeof registryMetadefNamespaces;

@Controller()
export class MetadefNamespacesRpc {
  constructor(
    private readonly namespaces: MetadefNamespacesService,
    private readonly lists: MetadefNamespaceListService,
  ) {}

  @HandleRpc(registryMetadefNamespaces.create)
  create({ ctx, namespace, content }: RequestOf<Calls['create']>): Promise<ResponseOf<Calls['create']>> {
    return this.namespaces.create(ctx, namespace, content);
  }

  @HandleRpc(registryMetadefNamespaces.get)
  get({ ctx, namespace }: RequestOf<Calls['get']>): Promise<ResponseOf<Calls['get']>> {
    return this.namespaces.get(ctx, namespace);
  }

  @HandleRpc(registryMetadefNamespaces.list)
  list({ ctx, query }: RequestOf<Calls['list']>): Promise<ResponseOf<Calls['list']>> {
    return this.lists.list(ctx, query);
  }

  @HandleRpc(registryMetadefNamespaces.update)
  update({ ctx, namespace, change }: RequestOf<Calls['update']>): Promise<ResponseOf<Calls['update']>> {
    return this.namespaces.update(ctx, namespace, change);
  }

  @HandleRpc(registryMetadefNamespaces.delete)
  async delete({ ctx, namespace }: RequestOf<Calls['delete']>): Promise<ResponseOf<Calls['delete']>> {
    await this.namespaces.delete(ctx, namespace);
    return {};
  }
}

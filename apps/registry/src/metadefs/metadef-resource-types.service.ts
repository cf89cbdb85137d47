import {
  type Caller,
  type MetadefAssociation,
  type MetadefResourceType,
  type NewMetadefAssociation,
  metadefEvents,
} from '@glimpse/contracts';
import {
  type SqlReader,
  deleteAssociation,
  findAssociation,
  insertAssociation,
  listAssociations,
  listResourceTypes,
} from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { MetadefAccess, metadefNotFound } from './metadef-access.js';

const KIND = 'resource-type association';

/** The types of resources that namespaces are meant for. */
@Injectable()
export class MetadefResourceTypesService {
  constructor(
    private readonly access: MetadefAccess,
    private readonly outbox: OutboxWriter,
  ) {}

  list(ctx: Caller): Promise<MetadefResourceType[]> {
    this.access.enforceOnNothing(ctx, 'list_metadef_resource_types');
    return listResourceTypes(this.access.sql);
  }

  async listAssociations(ctx: Caller, namespaceName: string): Promise<MetadefAssociation[]> {
    const { id, namespace } = await this.access.read(ctx, namespaceName, ['list_metadef_resource_types']);
    const found = await listAssociations(this.access.sql, [id]);
    return this.access.visible('get_metadef_resource_type', ctx, namespace, found.get(id) ?? []);
  }

  associate(ctx: Caller, namespaceName: string, wanted: NewMetadefAssociation): Promise<MetadefAssociation> {
    const change = {
      namespace: namespaceName,
      rules: ['add_metadef_resource_type_association'],
      action: 'create',
      what: `resource_types/${wanted.name}`,
    } as const;
    return this.access.change(ctx, change, async ({ tx, now, stored: { id, namespace } }) => {
      await insertAssociation(tx, id, wanted, now);
      const association = await get(tx, id, wanted.name, namespace.namespace);
      const payload = { namespace: namespace.namespace, association };
      await this.outbox.write(tx, metadefEvents.resourceTypeAssociated, namespace.namespace, payload);
      return association;
    });
  }

  async dissociate(ctx: Caller, namespaceName: string, name: string): Promise<void> {
    const change = {
      namespace: namespaceName,
      rules: ['remove_metadef_resource_type_association'],
      action: 'delete',
      what: `resource_types/${name}`,
      isDeletion: true,
    } as const;
    await this.access.change(ctx, change, async ({ tx, stored: { id, namespace } }) => {
      const association = await get(tx, id, name, namespace.namespace);
      await deleteAssociation(tx, id, name);
      const payload = { namespace: namespace.namespace, association };
      await this.outbox.write(tx, metadefEvents.resourceTypeDissociated, namespace.namespace, payload);
    });
  }
}

async function get(sql: SqlReader, id: number, name: string, namespace: string): Promise<MetadefAssociation> {
  const association = await findAssociation(sql, id, name);
  if (association === undefined) throw metadefNotFound(KIND, name, namespace);
  return association;
}

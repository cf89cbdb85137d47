import { type Caller, type MetadefProperties, type MetadefProperty, metadefEvents } from '@glimpse/contracts';
import {
  type MetadefPropertyRow,
  type SqlReader,
  deleteChild,
  deleteChildren,
  findAssociation,
  findChild,
  insertProperty,
  listProperties,
  toMetadefProperty,
  updateProperty,
} from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { MetadefAccess, metadefNotFound } from './metadef-access.js';

const TABLE = 'metadef_properties';

export interface NamedProperty {
  readonly name: string;
  readonly property: MetadefProperty;
}

/** The properties of a namespace. */
@Injectable()
export class MetadefPropertiesService {
  constructor(
    private readonly access: MetadefAccess,
    private readonly outbox: OutboxWriter,
  ) {}

  async list(ctx: Caller, namespaceName: string): Promise<MetadefProperties> {
    const { id, namespace } = await this.access.read(ctx, namespaceName, ['get_metadef_properties']);
    if (!this.access.allows('get_metadef_property', ctx, namespace)) return {};
    return listProperties(this.access.sql, id);
  }

  create(ctx: Caller, namespaceName: string, wanted: NamedProperty): Promise<NamedProperty> {
    const { name, property } = wanted;
    const change = {
      namespace: namespaceName,
      rules: ['add_metadef_property'],
      action: 'create',
      what: `properties/${name}`,
    } as const;
    return this.access.change(ctx, change, async ({ tx, now, stored: { id, namespace } }) => {
      await insertProperty(tx, id, name, property, now);
      const payload = { namespace: namespace.namespace, name, property };
      await this.outbox.write(tx, metadefEvents.propertyCreated, namespace.namespace, payload);
      return wanted;
    });
  }

  /** With a resource type the name is the one that the property has on resources of that type. */
  async get(
    ctx: Caller,
    namespaceName: string,
    name: string,
    resourceType: string | undefined,
  ): Promise<NamedProperty> {
    const { id, namespace } = await this.access.read(ctx, namespaceName, ['get_metadef_property']);
    const ownName =
      resourceType === undefined
        ? name
        : await this.withoutPrefix(id, namespace.namespace, name, resourceType);
    const row = await getRow(this.access.sql, id, ownName, namespace.namespace);
    return { name: row.name, property: toMetadefProperty(row) };
  }

  update(ctx: Caller, namespaceName: string, name: string, wanted: NamedProperty): Promise<NamedProperty> {
    const change = {
      namespace: namespaceName,
      rules: ['modify_metadef_property'],
      action: 'update',
      what: `properties/${name}`,
    } as const;
    return this.access.change(ctx, change, async ({ tx, now, stored: { id, namespace } }) => {
      const before = await getRow(tx, id, name, namespace.namespace);
      await updateProperty(tx, before.id, wanted.name, wanted.property, now);
      const payload = { namespace: namespace.namespace, ...wanted, previousName: before.name };
      await this.outbox.write(tx, metadefEvents.propertyUpdated, namespace.namespace, payload);
      return wanted;
    });
  }

  async delete(ctx: Caller, namespaceName: string, name: string): Promise<void> {
    const change = {
      namespace: namespaceName,
      rules: ['remove_metadef_property'],
      action: 'delete',
      what: `properties/${name}`,
      isDeletion: true,
    } as const;
    await this.access.change(ctx, change, async ({ tx, stored: { id, namespace } }) => {
      const row = await getRow(tx, id, name, namespace.namespace);
      await deleteChild(tx, TABLE, row.id);
      const payload = { namespace: namespace.namespace, name: row.name, property: toMetadefProperty(row) };
      await this.outbox.write(tx, metadefEvents.propertyDeleted, namespace.namespace, payload);
    });
  }

  async deleteAll(ctx: Caller, namespaceName: string): Promise<void> {
    const change = {
      namespace: namespaceName,
      rules: ['delete_metadef_namespace'],
      action: 'delete',
      what: 'properties',
      isDeletion: true,
    } as const;
    await this.access.change(ctx, change, async ({ tx, stored: { id, namespace } }) => {
      await deleteChildren(tx, TABLE, id);
      await this.outbox.write(tx, metadefEvents.propertiesDeleted, namespace.namespace, { namespace });
    });
  }

  private async withoutPrefix(
    id: number,
    namespace: string,
    name: string,
    resourceType: string,
  ): Promise<string> {
    const association = await findAssociation(this.access.sql, id, resourceType);
    const prefix = association?.prefix ?? '';
    if (association === undefined || !name.startsWith(prefix))
      throw metadefNotFound('property', name, namespace);
    return name.slice(prefix.length);
  }
}

async function getRow(
  sql: SqlReader,
  id: number,
  name: string,
  namespace: string,
): Promise<MetadefPropertyRow> {
  const row = await findChild(sql, TABLE, id, name);
  if (row === undefined) throw metadefNotFound('property', name, namespace);
  return row;
}

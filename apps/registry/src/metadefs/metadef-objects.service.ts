import { type Caller, type MetadefObject, type NewMetadefObject, metadefEvents } from '@glimpse/contracts';
import {
  type MetadefObjectRow,
  type SqlReader,
  deleteChild,
  deleteChildren,
  findChild,
  insertObject,
  listObjects,
  toMetadefObject,
  updateObject,
} from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { MetadefAccess, metadefNotFound } from './metadef-access.js';

const TABLE = 'metadef_objects';

/** The objects of a namespace. */
@Injectable()
export class MetadefObjectsService {
  constructor(
    private readonly access: MetadefAccess,
    private readonly outbox: OutboxWriter,
  ) {}

  async list(ctx: Caller, namespaceName: string): Promise<MetadefObject[]> {
    const { id, namespace } = await this.access.read(ctx, namespaceName, ['get_metadef_objects']);
    return this.access.visible('get_metadef_object', ctx, namespace, await listObjects(this.access.sql, id));
  }

  create(ctx: Caller, namespaceName: string, wanted: NewMetadefObject): Promise<MetadefObject> {
    const change = {
      namespace: namespaceName,
      rules: ['add_metadef_object'],
      action: 'create',
      what: `objects/${wanted.name}`,
    } as const;
    return this.access.change(ctx, change, async ({ tx, now, stored: { id, namespace } }) => {
      await insertObject(tx, id, wanted, now);
      const object = toMetadefObject(await getRow(tx, id, wanted.name, namespace.namespace));
      const payload = { namespace: namespace.namespace, object };
      await this.outbox.write(tx, metadefEvents.objectCreated, namespace.namespace, payload);
      return object;
    });
  }

  async get(ctx: Caller, namespaceName: string, name: string): Promise<MetadefObject> {
    const { id, namespace } = await this.access.read(ctx, namespaceName, ['get_metadef_object']);
    return toMetadefObject(await getRow(this.access.sql, id, name, namespace.namespace));
  }

  update(ctx: Caller, namespaceName: string, name: string, wanted: NewMetadefObject): Promise<MetadefObject> {
    const change = {
      namespace: namespaceName,
      rules: ['modify_metadef_object'],
      action: 'update',
      what: `objects/${name}`,
    } as const;
    return this.access.change(ctx, change, async ({ tx, now, stored: { id, namespace } }) => {
      const before = await getRow(tx, id, name, namespace.namespace);
      await updateObject(tx, before.id, wanted, now);
      const object = toMetadefObject(await getRow(tx, id, wanted.name, namespace.namespace));
      const payload = { namespace: namespace.namespace, object, previous: toMetadefObject(before) };
      await this.outbox.write(tx, metadefEvents.objectUpdated, namespace.namespace, payload);
      return object;
    });
  }

  async delete(ctx: Caller, namespaceName: string, name: string): Promise<void> {
    const change = {
      namespace: namespaceName,
      rules: ['delete_metadef_object'],
      action: 'delete',
      what: `objects/${name}`,
      isDeletion: true,
    } as const;
    await this.access.change(ctx, change, async ({ tx, stored: { id, namespace } }) => {
      const row = await getRow(tx, id, name, namespace.namespace);
      await deleteChild(tx, TABLE, row.id);
      const payload = { namespace: namespace.namespace, object: toMetadefObject(row) };
      await this.outbox.write(tx, metadefEvents.objectDeleted, namespace.namespace, payload);
    });
  }

  async deleteAll(ctx: Caller, namespaceName: string): Promise<void> {
    const change = {
      namespace: namespaceName,
      rules: ['delete_metadef_namespace'],
      action: 'delete',
      what: 'objects',
      isDeletion: true,
    } as const;
    await this.access.change(ctx, change, async ({ tx, stored: { id, namespace } }) => {
      await deleteChildren(tx, TABLE, id);
      await this.outbox.write(tx, metadefEvents.objectsDeleted, namespace.namespace, { namespace });
    });
  }
}

async function getRow(
  sql: SqlReader,
  id: number,
  name: string,
  namespace: string,
): Promise<MetadefObjectRow> {
  const row = await findChild(sql, TABLE, id, name);
  if (row === undefined) throw metadefNotFound('object', name, namespace);
  return row;
}

import { type Caller, type MetadefTag, type MetadefTagQuery, metadefEvents } from '@glimpse/contracts';
import {
  type MetadefTagRow,
  type SqlReader,
  deleteChild,
  deleteChildren,
  findChild,
  fromDatabaseTime,
  insertTags,
  listTags,
  renameTag,
  toMetadefTag,
} from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { type MetadefChange, MetadefAccess, metadefNotFound } from './metadef-access.js';
import { tagListQuery } from './tag-list.query.js';

const TABLE = 'metadef_tags';

/** The tags of a namespace. */
@Injectable()
export class MetadefTagsService {
  constructor(
    private readonly access: MetadefAccess,
    private readonly outbox: OutboxWriter,
  ) {}

  async list(ctx: Caller, namespaceName: string, query: MetadefTagQuery): Promise<MetadefTag[]> {
    const { id, namespace } = await this.access.read(ctx, namespaceName, ['get_metadef_tags']);
    const marker =
      query.marker === undefined
        ? undefined
        : await getRow(this.access.sql, id, query.marker, namespace.namespace);
    const { sql, values } = tagListQuery(id, query, marker);
    const rows = await this.access.sql.query<MetadefTagRow>(sql, values);
    return this.access.visible('get_metadef_tag', ctx, namespace, rows.map(toMetadefTag));
  }

  async create(ctx: Caller, namespaceName: string, name: string): Promise<MetadefTag> {
    const change = {
      namespace: namespaceName,
      rules: ['add_metadef_tag'],
      action: 'create',
      what: `tags/${name}`,
    } as const;
    return this.access.change(ctx, change, async (running) => {
      await this.insert(running, [name]);
      const { tx, stored } = running;
      return toMetadefTag(await getRow(tx, stored.id, name, stored.namespace.namespace));
    });
  }

  /** All of them or none, in the order of the request. */
  createMany(
    ctx: Caller,
    namespaceName: string,
    names: readonly string[],
    isAppend: boolean,
  ): Promise<MetadefTag[]> {
    const change = {
      namespace: namespaceName,
      rules: ['add_metadef_tags'],
      action: 'create',
      what: 'tags',
    } as const;
    return this.access.change(ctx, change, async (running) => {
      if (names.length === 0) return [];
      const { tx, stored } = running;
      if (!isAppend) await deleteChildren(tx, TABLE, stored.id);
      await this.insert(running, names);
      const byName = new Map((await listTags(tx, stored.id)).map((tag) => [tag.name, tag]));
      return names.map((name) => byName.get(name)).filter((tag) => tag !== undefined);
    });
  }

  async get(ctx: Caller, namespaceName: string, name: string): Promise<MetadefTag> {
    const { id, namespace } = await this.access.read(ctx, namespaceName, ['get_metadef_tag']);
    return toMetadefTag(await getRow(this.access.sql, id, name, namespace.namespace));
  }

  rename(ctx: Caller, namespaceName: string, name: string, newName: string): Promise<MetadefTag> {
    const change = {
      namespace: namespaceName,
      rules: ['modify_metadef_tag'],
      action: 'update',
      what: `tags/${name}`,
    } as const;
    return this.access.change(ctx, change, async ({ tx, now, stored: { id, namespace } }) => {
      const before = await getRow(tx, id, name, namespace.namespace);
      await renameTag(tx, before.id, newName, now);
      const tag = toMetadefTag(await getRow(tx, id, newName, namespace.namespace));
      const payload = { namespace: namespace.namespace, tag, previous: toMetadefTag(before) };
      await this.outbox.write(tx, metadefEvents.tagUpdated, namespace.namespace, payload);
      return tag;
    });
  }

  async delete(ctx: Caller, namespaceName: string, name: string): Promise<void> {
    const change = {
      namespace: namespaceName,
      rules: ['delete_metadef_tag'],
      action: 'delete',
      what: `tags/${name}`,
      isDeletion: true,
    } as const;
    await this.access.change(ctx, change, async ({ tx, stored: { id, namespace } }) => {
      const row = await getRow(tx, id, name, namespace.namespace);
      await deleteChild(tx, TABLE, row.id);
      const payload = { namespace: namespace.namespace, tag: toMetadefTag(row) };
      await this.outbox.write(tx, metadefEvents.tagDeleted, namespace.namespace, payload);
    });
  }

  async deleteAll(ctx: Caller, namespaceName: string): Promise<void> {
    const change = {
      namespace: namespaceName,
      rules: ['delete_metadef_namespace', 'delete_metadef_tags'],
      action: 'delete',
      what: 'tags',
      isDeletion: true,
    } as const;
    await this.access.change(ctx, change, async ({ tx, stored: { id, namespace } }) => {
      await deleteChildren(tx, TABLE, id);
      await this.outbox.write(tx, metadefEvents.tagsDeleted, namespace.namespace, { namespace });
    });
  }

  private async insert({ tx, now, stored }: MetadefChange, names: readonly string[]): Promise<void> {
    await insertTags(tx, stored.id, names, now);
    const namespace = stored.namespace.namespace;
    const time = fromDatabaseTime(now);
    await this.outbox.writeAll(
      tx,
      metadefEvents.tagCreated,
      namespace,
      names.map((name) => ({ namespace, tag: { name, createdAt: time, updatedAt: time } })),
    );
  }
}

async function getRow(sql: SqlReader, id: number, name: string, namespace: string): Promise<MetadefTagRow> {
  const row = await findChild(sql, TABLE, id, name);
  if (row === undefined) throw metadefNotFound('tag', name, namespace);
  return row;
}

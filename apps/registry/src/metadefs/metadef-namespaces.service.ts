import {
  type Caller,
  type MetadefContent,
  type MetadefNamespace,
  type NewMetadefContent,
  type NewMetadefNamespace,
  ServiceError,
  metadefEvents,
} from '@glimpse/contracts';
import {
  type OwnedNamespace,
  type Transaction,
  deleteNamespace,
  findNamespace,
  insertContent,
  insertNamespace,
  readContent,
  updateNamespace,
} from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import type { RuleName } from '@glimpse/policy';
import { MetadefAccess } from './metadef-access.js';

export interface NamespaceWithContent {
  readonly namespace: MetadefNamespace;
  readonly content: MetadefContent;
}

/** Namespaces of metadata definitions, as a whole. */
@Injectable()
export class MetadefNamespacesService {
  constructor(
    private readonly access: MetadefAccess,
    private readonly outbox: OutboxWriter,
  ) {}

  async create(
    ctx: Caller,
    request: NewMetadefNamespace,
    content: NewMetadefContent,
  ): Promise<NamespaceWithContent> {
    this.access.enforceOnNothing(ctx, 'add_metadef_namespace');
    const wanted = ownedBy(ctx, request);
    this.access.enforce(ctx, wanted, rulesForNew(content));
    return this.access.run(async (tx) => {
      const now = this.access.now();
      const id = await insertNamespace(tx, wanted, now);
      await insertContent(tx, id, content, now);
      const made = { namespace: await readBack(tx, wanted.namespace), content: await readContent(tx, id) };
      await this.announce(tx, made);
      await this.access.note(tx, ctx, 'create', wanted.namespace);
      return made;
    });
  }

  async get(ctx: Caller, name: string): Promise<NamespaceWithContent> {
    const { id, namespace } = await this.access.read(ctx, name, [
      'get_metadef_namespace',
      'list_metadef_resource_types',
    ]);
    const content = await readContent(this.access.sql, id);
    const allows = (rule: RuleName) => this.access.allows(rule, ctx, namespace);
    return {
      namespace,
      content: {
        associations: allows('get_metadef_resource_type') ? content.associations : [],
        objects: allows('get_metadef_objects') ? content.objects : [],
        properties: allows('get_metadef_properties') ? content.properties : {},
        tags: allows('get_metadef_tags') ? content.tags : [],
      },
    };
  }

  update(ctx: Caller, name: string, request: NewMetadefNamespace): Promise<MetadefNamespace> {
    const change = { namespace: name, rules: ['modify_metadef_namespace'], action: 'update' } as const;
    return this.access.change(ctx, change, async ({ tx, now, stored }) => {
      await updateNamespace(tx, stored.id, ownedBy(ctx, request), now);
      const changed = await readBack(tx, request.namespace);
      const payload = { namespace: changed, previous: stored.namespace };
      await this.outbox.write(tx, metadefEvents.namespaceUpdated, stored.namespace.namespace, payload);
      return changed;
    });
  }

  async delete(ctx: Caller, name: string): Promise<void> {
    const change = {
      namespace: name,
      rules: ['delete_metadef_namespace'],
      action: 'delete',
      isDeletion: true,
    } as const;
    await this.access.change(ctx, change, async ({ tx, stored: { id, namespace } }) => {
      await deleteNamespace(tx, id);
      await this.outbox.write(tx, metadefEvents.namespaceDeleted, namespace.namespace, { namespace });
    });
  }

  /** In the order in which Glance notifies of them. */
  private async announce(tx: Transaction, { namespace, content }: NamespaceWithContent): Promise<void> {
    const subject = namespace.namespace;
    const inIt = { namespace: subject };
    await this.outbox.write(tx, metadefEvents.namespaceCreated, subject, { namespace });
    await this.outbox.writeAll(
      tx,
      metadefEvents.resourceTypeAssociated,
      subject,
      content.associations.map((association) => ({ ...inIt, association })),
    );
    await this.outbox.writeAll(
      tx,
      metadefEvents.objectCreated,
      subject,
      content.objects.map((object) => ({ ...inIt, object })),
    );
    await this.outbox.writeAll(
      tx,
      metadefEvents.tagCreated,
      subject,
      content.tags.map((tag) => ({ ...inIt, tag })),
    );
    await this.outbox.writeAll(
      tx,
      metadefEvents.propertyCreated,
      subject,
      Object.entries(content.properties).map(([name, property]) => ({ ...inIt, name, property })),
    );
  }
}

/** The namespace with its owner, which every one has. */
function ownedBy(ctx: Caller, request: NewMetadefNamespace): OwnedNamespace {
  const owner = request.owner ?? ctx.projectId;
  if (owner === null)
    throw new ServiceError('REQUEST_INVALID', 'A namespace has an owner: name one, or ask in a project.');
  return { ...request, owner };
}

/** What a caller needs to be allowed besides making a namespace. */
function rulesForNew({ associations, objects, properties, tags }: NewMetadefContent): RuleName[] {
  const rules: RuleName[] = [];
  if (associations.length > 0) rules.push('add_metadef_resource_type_association');
  if (objects.length > 0) rules.push('add_metadef_object');
  if (tags.length > 0) rules.push('add_metadef_tag');
  if (Object.keys(properties).length > 0) rules.push('add_metadef_property');
  return rules;
}

async function readBack(tx: Transaction, name: string): Promise<MetadefNamespace> {
  const stored = await findNamespace(tx, name);
  if (stored === undefined) throw new Error(`Namespace ${name} is not there in its own transaction`);
  return stored.namespace;
}

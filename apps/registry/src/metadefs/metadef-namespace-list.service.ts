import {
  type Caller,
  type MetadefNamespaceQuery,
  type ResponseOf,
  ServiceError,
  type registryMetadefNamespaces,
} from '@glimpse/contracts';
import {
  type MetadefNamespaceRow,
  findNamespace,
  listAssociations,
  toStoredNamespace,
} from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { PolicyEngine, namespaceNotFound } from '../policy/policy.engine.js';
import { RegistrySettings } from '../registry-settings.js';
import { MetadefAccess } from './metadef-access.js';
import { type NamespaceMarker, markerQuery, namespaceListQuery } from './namespace-list.query.js';

type Page = ResponseOf<(typeof registryMetadefNamespaces)['list']>;

@Injectable()
export class MetadefNamespaceListService {
  constructor(
    private readonly access: MetadefAccess,
    private readonly policy: PolicyEngine,
    private readonly settings: RegistrySettings,
  ) {}

  /** One page of the namespaces that the caller may see and that match, in two statements. */
  async list(ctx: Caller, query: MetadefNamespaceQuery): Promise<Page> {
    this.access.enforceOnNothing(ctx, 'get_metadef_namespaces', 'list_metadef_resource_types');
    const marker =
      query.marker === undefined ? undefined : await this.findMarker(ctx, query.marker, query.sortKey);
    const limit = Math.min(query.limit, this.settings.config.limits.pageMax);
    if (limit === 0) return { namespaces: [], isFullPage: false };
    const { sql, values } = namespaceListQuery(
      { ...query, limit },
      this.policy.isAdmin(ctx) ? undefined : ctx.projectId,
      marker,
    );
    const rows = await this.access.sql.query<MetadefNamespaceRow>(sql, values);
    const stored = rows
      .map(toStoredNamespace)
      .filter(({ namespace }) => this.access.allows('get_metadef_namespace', ctx, namespace));
    const associations = await listAssociations(
      this.access.sql,
      stored.map(({ id }) => id),
    );
    return {
      namespaces: stored.map(({ id, namespace }) => ({
        namespace,
        associations: this.access.visible(
          'get_metadef_resource_type',
          ctx,
          namespace,
          associations.get(id) ?? [],
        ),
      })),
      isFullPage: rows.length === limit,
    };
  }

  private async findMarker(
    ctx: Caller,
    name: string,
    sortKey: MetadefNamespaceQuery['sortKey'],
  ): Promise<NamespaceMarker> {
    const stored = await findNamespace(this.access.sql, name);
    if (stored === undefined) throw namespaceNotFound(name);
    if (!this.access.isKnown(ctx, stored.namespace))
      throw new ServiceError(
        'MARKER_FORBIDDEN',
        'Forbidding request, metadata definition namespace not visible.',
      );
    const [marker] = await this.access.sql.query<NamespaceMarker>(markerQuery(sortKey), [stored.id]);
    if (marker === undefined) throw namespaceNotFound(name);
    return marker;
  }
}

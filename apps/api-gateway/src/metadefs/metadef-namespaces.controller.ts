import { Controller, Delete, Get, HttpCode, Param, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { registryMetadefNamespaces, toNewContent, toNewNamespace } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { GatewaySettings } from '../gateway-settings.js';
import { baseUrlOf } from '../http/base-url.js';
import { Body } from '../http/body-policy.js';
import { listLinks } from '../http/pagination.js';
import { parseQueryString } from '../http/query-string.js';
import { parseNamespaceList, resourceTypeOf } from './list-parameters.js';
import { parseNamespace } from './metadef-bodies.js';
import { metadefPath } from './metadef-path.js';
import { forResourceType, viewListedNamespace, viewNamespace, viewWholeNamespace } from './metadef-views.js';

const PATH = '/v2/metadefs/namespaces';

/** Namespaces of metadata definitions. */
@Controller('v2/metadefs/namespaces')
export class MetadefNamespacesController {
  constructor(
    private readonly rpc: RpcClient,
    private readonly settings: GatewaySettings,
  ) {}

  @Get()
  @Body('ignore')
  async list(@Req() request: FastifyRequest): Promise<object> {
    const pairs = parseQueryString(request.url);
    const query = parseNamespaceList(pairs, this.settings.config.limits);
    const page = await this.rpc.call(registryMetadefNamespaces.list, { ctx: callerOf(request), query });
    const last = page.isFullPage ? page.namespaces.at(-1)?.namespace.namespace : undefined;
    return {
      namespaces: page.namespaces.map(({ namespace, associations }) =>
        viewListedNamespace(namespace, associations),
      ),
      ...listLinks(PATH, pairs, last),
      schema: '/v2/schemas/metadefs/namespaces',
    };
  }

  @Post()
  async create(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const document = parseNamespace(request.body);
    const { namespace, content } = await this.rpc.call(registryMetadefNamespaces.create, {
      ctx: callerOf(request),
      namespace: toNewNamespace(document),
      content: toNewContent(document),
    });
    reply.header('location', `${baseUrlOf(request.raw)}${metadefPath(namespace.namespace)}`);
    return viewWholeNamespace(namespace, content);
  }

  @Get(':namespace')
  @Body('reject')
  async show(@Param('namespace') name: string, @Req() request: FastifyRequest): Promise<object> {
    const { namespace, content } = await this.rpc.call(registryMetadefNamespaces.get, {
      ctx: callerOf(request),
      namespace: name,
    });
    const resourceType = resourceTypeOf(parseQueryString(request.url));
    return viewWholeNamespace(
      namespace,
      resourceType === undefined ? content : forResourceType(content, resourceType),
    );
  }

  @Put(':namespace')
  async update(@Param('namespace') name: string, @Req() request: FastifyRequest): Promise<object> {
    const change = toNewNamespace(parseNamespace(request.body));
    const namespace = await this.rpc.call(registryMetadefNamespaces.update, {
      ctx: callerOf(request),
      namespace: name,
      change,
    });
    return viewNamespace(namespace);
  }

  @Delete(':namespace')
  @Body('reject')
  @HttpCode(204)
  async delete(@Param('namespace') name: string, @Req() request: FastifyRequest): Promise<void> {
    await this.rpc.call(registryMetadefNamespaces.delete, { ctx: callerOf(request), namespace: name });
  }
}

import { Controller, Delete, Get, HttpCode, Param, Post, Put, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { MetadefTagDocument, checkMetadefDocument, registryMetadefTags } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { Body } from '../http/body-policy.js';
import { parseQueryString } from '../http/query-string.js';
import { parseTagList } from './list-parameters.js';
import { parseTag, parseTags } from './metadef-bodies.js';
import { viewTag } from './metadef-views.js';

const TRUTHS = new Set(['1', 't', 'true', 'on', 'y', 'yes']);

/** Whether the tags of a bulk request come on top of those that are there. */
function isAppend({ headers }: FastifyRequest): boolean {
  const header = headers['x-openstack-append'];
  return typeof header === 'string' && TRUTHS.has(header.trim().toLowerCase());
}

/** The tags of a namespace. */
@Controller('v2/metadefs/namespaces/:namespace/tags')
export class MetadefTagsController {
  constructor(private readonly rpc: RpcClient) {}

  @Get()
  @Body('ignore')
  async list(@Param('namespace') namespace: string, @Req() request: FastifyRequest): Promise<object> {
    const query = parseTagList(parseQueryString(request.url));
    const { tags } = await this.rpc.call(registryMetadefTags.list, {
      ctx: callerOf(request),
      namespace,
      query,
    });
    return { tags: tags.map(({ name }) => ({ name })) };
  }

  @Post()
  async createMany(@Param('namespace') namespace: string, @Req() request: FastifyRequest): Promise<object> {
    const { tags } = await this.rpc.call(registryMetadefTags.createMany, {
      ctx: callerOf(request),
      namespace,
      names: parseTags(request.body),
      isAppend: isAppend(request),
    });
    return { tags: tags.map(({ name }) => ({ name })) };
  }

  @Delete()
  @Body('reject')
  @HttpCode(204)
  async deleteAll(@Param('namespace') namespace: string, @Req() request: FastifyRequest): Promise<void> {
    await this.rpc.call(registryMetadefTags.deleteAll, { ctx: callerOf(request), namespace });
  }

  @Post(':name')
  @Body('reject')
  async create(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    checkMetadefDocument('tag', MetadefTagDocument, { name });
    return viewTag(
      await this.rpc.call(registryMetadefTags.create, { ctx: callerOf(request), namespace, name }),
    );
  }

  @Get(':name')
  @Body('reject')
  async show(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    return viewTag(await this.rpc.call(registryMetadefTags.get, { ctx: callerOf(request), namespace, name }));
  }

  @Put(':name')
  async rename(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    const newName = parseTag(request.body);
    return viewTag(
      await this.rpc.call(registryMetadefTags.rename, { ctx: callerOf(request), namespace, name, newName }),
    );
  }

  @Delete(':name')
  @Body('reject')
  @HttpCode(204)
  async delete(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.rpc.call(registryMetadefTags.delete, { ctx: callerOf(request), namespace, name });
  }
}

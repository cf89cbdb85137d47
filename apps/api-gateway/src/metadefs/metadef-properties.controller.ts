import { Controller, Delete, Get, HttpCode, Param, Post, Put, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { registryMetadefProperties, toStoredProperty } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { Body } from '../http/body-policy.js';
import { parseQueryString } from '../http/query-string.js';
import { resourceTypeOf } from './list-parameters.js';
import { parseProperty } from './metadef-bodies.js';
import { viewProperty } from './metadef-views.js';

/** The properties of a namespace. */
@Controller('v2/metadefs/namespaces/:namespace/properties')
export class MetadefPropertiesController {
  constructor(private readonly rpc: RpcClient) {}

  @Get()
  @Body('reject')
  async list(@Param('namespace') namespace: string, @Req() request: FastifyRequest): Promise<object> {
    return this.rpc.call(registryMetadefProperties.list, { ctx: callerOf(request), namespace });
  }

  @Post()
  async create(@Param('namespace') namespace: string, @Req() request: FastifyRequest): Promise<object> {
    const document = parseProperty(request.body);
    const made = await this.rpc.call(registryMetadefProperties.create, {
      ctx: callerOf(request),
      namespace,
      name: document.name,
      property: toStoredProperty(document),
    });
    return viewProperty(made.name, made.property);
  }

  @Delete()
  @Body('reject')
  @HttpCode(204)
  async deleteAll(@Param('namespace') namespace: string, @Req() request: FastifyRequest): Promise<void> {
    await this.rpc.call(registryMetadefProperties.deleteAll, { ctx: callerOf(request), namespace });
  }

  @Get(':name')
  @Body('ignore')
  async show(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    const resourceType = resourceTypeOf(parseQueryString(request.url));
    const found = await this.rpc.call(registryMetadefProperties.get, {
      ctx: callerOf(request),
      namespace,
      name,
      ...(resourceType === undefined ? {} : { resourceType }),
    });
    return viewProperty(found.name, found.property);
  }

  @Put(':name')
  async update(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    const document = parseProperty(request.body);
    const changed = await this.rpc.call(registryMetadefProperties.update, {
      ctx: callerOf(request),
      namespace,
      name,
      newName: document.name,
      property: toStoredProperty(document),
    });
    return viewProperty(changed.name, changed.property);
  }

  @Delete(':name')
  @Body('reject')
  @HttpCode(204)
  async delete(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.rpc.call(registryMetadefProperties.delete, { ctx: callerOf(request), namespace, name });
  }
}

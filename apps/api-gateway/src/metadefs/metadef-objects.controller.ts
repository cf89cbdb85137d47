import { Controller, Delete, Get, HttpCode, Param, Post, Put, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { registryMetadefObjects, toNewObject } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { Body } from '../http/body-policy.js';
import { parseQueryString } from '../http/query-string.js';
import { checkObjectList } from './list-parameters.js';
import { parseObject } from './metadef-bodies.js';
import { viewObject } from './metadef-views.js';

/** The objects of a namespace. */
@Controller('v2/metadefs/namespaces/:namespace/objects')
export class MetadefObjectsController {
  constructor(private readonly rpc: RpcClient) {}

  @Get()
  @Body('ignore')
  async list(@Param('namespace') namespace: string, @Req() request: FastifyRequest): Promise<object> {
    checkObjectList(parseQueryString(request.url));
    const { objects } = await this.rpc.call(registryMetadefObjects.list, {
      ctx: callerOf(request),
      namespace,
    });
    return {
      objects: objects.map((object) => viewObject(namespace, object)),
      // Glance has no slash in front here (spec/errors-and-edge-cases.md section 8).
      schema: 'v2/schemas/metadefs/objects',
    };
  }

  @Post()
  async create(@Param('namespace') namespace: string, @Req() request: FastifyRequest): Promise<object> {
    const object = toNewObject(parseObject(request.body));
    const made = await this.rpc.call(registryMetadefObjects.create, {
      ctx: callerOf(request),
      namespace,
      object,
    });
    return viewObject(namespace, made);
  }

  @Delete()
  @Body('reject')
  @HttpCode(204)
  async deleteAll(@Param('namespace') namespace: string, @Req() request: FastifyRequest): Promise<void> {
    await this.rpc.call(registryMetadefObjects.deleteAll, { ctx: callerOf(request), namespace });
  }

  @Get(':name')
  @Body('reject')
  async show(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    const found = await this.rpc.call(registryMetadefObjects.get, {
      ctx: callerOf(request),
      namespace,
      name,
    });
    return viewObject(namespace, found);
  }

  @Put(':name')
  async update(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    const object = toNewObject(parseObject(request.body));
    const changed = await this.rpc.call(registryMetadefObjects.update, {
      ctx: callerOf(request),
      namespace,
      name,
      object,
    });
    return viewObject(namespace, changed);
  }

  @Delete(':name')
  @Body('reject')
  @HttpCode(204)
  async delete(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.rpc.call(registryMetadefObjects.delete, { ctx: callerOf(request), namespace, name });
  }
}

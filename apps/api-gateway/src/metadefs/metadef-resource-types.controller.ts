import { Controller, Delete, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { registryMetadefResourceTypes, toNewAssociation } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { Body } from '../http/body-policy.js';
import { parseAssociation } from './metadef-bodies.js';
import { viewAssociation } from './metadef-views.js';

/** Resource types, and the namespaces that are meant for them. */
@Controller('v2/metadefs')
export class MetadefResourceTypesController {
  constructor(private readonly rpc: RpcClient) {}

  @Get('resource_types')
  @Body('reject')
  async list(@Req() request: FastifyRequest): Promise<object> {
    const { resourceTypes } = await this.rpc.call(registryMetadefResourceTypes.list, {
      ctx: callerOf(request),
    });
    return {
      resource_types: resourceTypes.map(({ name, createdAt, updatedAt }) => ({
        name,
        created_at: createdAt,
        updated_at: updatedAt,
      })),
    };
  }

  @Get('namespaces/:namespace/resource_types')
  @Body('reject')
  async listAssociations(
    @Param('namespace') namespace: string,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    const { associations } = await this.rpc.call(registryMetadefResourceTypes.listAssociations, {
      ctx: callerOf(request),
      namespace,
    });
    return { resource_type_associations: associations.map(viewAssociation) };
  }

  @Post('namespaces/:namespace/resource_types')
  async associate(@Param('namespace') namespace: string, @Req() request: FastifyRequest): Promise<object> {
    const association = toNewAssociation(parseAssociation(request.body));
    return viewAssociation(
      await this.rpc.call(registryMetadefResourceTypes.associate, {
        ctx: callerOf(request),
        namespace,
        association,
      }),
    );
  }

  @Delete('namespaces/:namespace/resource_types/:name')
  @Body('reject')
  @HttpCode(204)
  async dissociate(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.rpc.call(registryMetadefResourceTypes.dissociate, { ctx: callerOf(request), namespace, name });
  }
}

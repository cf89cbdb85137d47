import { Controller, HttpCode, Param, Post, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { registryImports } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { Body } from '../http/body-policy.js';
import { routeNotFound } from '../http/http-error.js';
import { ReceivedBodies } from '../image-data/received-bodies.js';
import { parseStagingHeaders } from '../image-data/upload-headers.js';
import { intoStaging } from '../image-data/upload-target.js';
import { imageIdFrom } from '../images/image-id.js';
import { ImportMethods } from './import-methods.js';
import { parseImportRequest } from './import-request.js';
import { RemoteImageServices } from './remote-image-services.js';

/** Brings data into images in two steps, or from elsewhere. */
@Controller('v2/images/:id')
export class ImportsController {
  constructor(
    private readonly rpc: RpcClient,
    private readonly methods: ImportMethods,
    private readonly bodies: ReceivedBodies,
    private readonly remotes: RemoteImageServices,
  ) {}

  @Put('stage')
  @Body('own')
  @HttpCode(204)
  async stage(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    if (!this.methods.names.includes('glance-direct')) throw routeNotFound();
    const { size } = parseStagingHeaders(request.headers);
    await this.bodies.receive(request, reply, {
      imageId: imageIdFrom(id),
      size,
      storeId: undefined,
      target: intoStaging,
    });
  }

  @Post('import')
  @HttpCode(202)
  async import(@Param('id') id: string, @Req() request: FastifyRequest): Promise<void> {
    const header = request.headers['x-image-meta-store'];
    const parsed = parseImportRequest(request.body, header, this.methods.names);
    await this.rpc.call(registryImports.begin, {
      ctx: callerOf(request),
      id: imageIdFrom(id),
      request: { ...parsed, method: await this.remotes.resolve(parsed.method, request.headers) },
    });
  }
}

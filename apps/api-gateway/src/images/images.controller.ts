import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { type Image, registryImages } from '@glimpse/contracts';
import { StoreRegistry } from '@glimpse/stores';
import { callerOf } from '../auth/request-context.js';
import { GatewaySettings } from '../gateway-settings.js';
import { baseUrlOf } from '../http/base-url.js';
import { Body } from '../http/body-policy.js';
import { parseQueryString } from '../http/query-string.js';
import { readJson } from '../http/request-body.js';
import { imageIdFrom } from './image-id.js';
import { type ImageView, imagePath, toImageView } from './image-view.js';
import { type ImageSchema, createImageSchema } from './images.schema.js';
import { parsePatch, patchDialect } from './json-patch.js';
import { listLinks } from './list-links.js';
import { parseListQuery } from './list-query.js';
import { parseNewImage } from './new-image.js';

@Controller('v2/images')
export class ImagesController {
  private readonly schema: ImageSchema;

  constructor(
    private readonly rpc: RpcClient,
    private readonly stores: StoreRegistry,
    private readonly settings: GatewaySettings,
  ) {
    this.schema = createImageSchema(settings.config.images);
  }

  @Post()
  async create(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImageView> {
    const image = parseNewImage(request.body, this.schema);
    const created = await this.rpc.call(registryImages.create, { ctx: callerOf(request), image });
    reply.header('location', `${baseUrlOf(request.raw)}${imagePath(created.id)}`);
    if (this.settings.config.isMultiStore)
      reply.header('openstack-image-store-ids', this.stores.ids.join(','));
    return this.view(created);
  }

  @Get()
  @Body('ignore')
  async list(@Req() request: FastifyRequest) {
    const pairs = parseQueryString(request.url);
    const query = parseListQuery(pairs, this.settings.config.limits);
    const page = await this.rpc.call(registryImages.list, { ctx: callerOf(request), query });
    const lastId = page.isFullPage ? page.images.at(-1)?.id : undefined;
    return {
      images: page.images.map((image) => this.view(image)),
      ...listLinks(pairs, lastId),
      schema: '/v2/schemas/images',
    };
  }

  @Get(':id')
  @Body('reject')
  async show(@Param('id') id: string, @Req() request: FastifyRequest): Promise<ImageView> {
    const image = await this.rpc.call(registryImages.get, { ctx: callerOf(request), id: imageIdFrom(id) });
    return this.view(image);
  }

  @Patch(':id')
  @Body('own')
  async update(@Param('id') id: string, @Req() request: FastifyRequest): Promise<ImageView> {
    const dialect = patchDialect(request.headers['content-type']);
    const body = await readJson(request.raw, this.settings.config.http);
    const changes = parsePatch(body, dialect, this.schema);
    const target = { ctx: callerOf(request), id: imageIdFrom(id) };
    // Without a change there is nothing to be allowed: whoever sees the image gets it.
    const image =
      changes.length === 0
        ? await this.rpc.call(registryImages.get, target)
        : await this.rpc.call(registryImages.update, { ...target, changes });
    return this.view(image);
  }

  @Delete(':id')
  @Body('reject')
  @HttpCode(204)
  async delete(@Param('id') id: string, @Req() request: FastifyRequest): Promise<void> {
    await this.rpc.call(registryImages.delete, { ctx: callerOf(request), id: imageIdFrom(id) });
  }

  private view(image: Image): ImageView {
    return toImageView(image, this.settings.config);
  }
}

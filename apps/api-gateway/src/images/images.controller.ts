import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { type Image, type ResponseOf, ServiceError, registryImages } from '@glimpse/contracts';
import { StoreRegistry } from '@glimpse/stores';
import { callerOf } from '../auth/request-context.js';
import { GatewaySettings } from '../gateway-settings.js';
import { baseUrlOf } from '../http/base-url.js';
import { Body } from '../http/body-policy.js';
import { judgePreconditions, strongTag, valuesToMatch } from '../http/entity-tags.js';
import { listLinks } from '../http/pagination.js';
import { parseQueryString } from '../http/query-string.js';
import { readJson } from '../http/request-body.js';
import { ImportMethods } from '../imports/import-methods.js';
import { imageIdFrom } from './image-id.js';
import { type ImageView, imagePath, toImageView } from './image-view.js';
import { type ImageSchema, createImageSchema, createNewImageSchema } from './images.schema.js';
import { parsePatch, patchDialect } from './json-patch.js';
import { parseListQuery } from './list-query.js';
import { parseNewImage } from './new-image.js';

const etagOf = ({ revision }: Image) => (revision === undefined ? undefined : strongTag(revision));

/** What a list that was counted says of it. */
function countOf({ count }: ResponseOf<typeof registryImages.list>, reply: FastifyReply) {
  if (count === undefined) return {};
  reply.header('x-total-count', count.value);
  return { count: count.value, ...(count.isLimit ? { count_is_limit: true } : {}) };
}

@Controller('v2/images')
export class ImagesController {
  private readonly schema: ImageSchema;
  private readonly newImageSchema: ImageSchema;

  constructor(
    private readonly rpc: RpcClient,
    private readonly stores: StoreRegistry,
    private readonly importMethods: ImportMethods,
    private readonly settings: GatewaySettings,
  ) {
    this.schema = createImageSchema(settings.config.images);
    this.newImageSchema = createNewImageSchema(settings.config.images);
  }

  @Post()
  async create(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImageView> {
    const image = parseNewImage(request.body, this.newImageSchema);
    const created = await this.rpc.call(registryImages.create, { ctx: callerOf(request), image });
    reply.header('location', `${baseUrlOf(request.raw)}${imagePath(created.id)}`);
    const methods = this.importMethods.names;
    if (methods.length > 0) reply.header('openstack-image-import-methods', methods.join(','));
    if (this.settings.config.isMultiStore)
      reply.header('openstack-image-store-ids', this.stores.ids.join(','));
    return this.answer(created, reply);
  }

  @Get()
  @Body('ignore')
  async list(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const pairs = parseQueryString(request.url);
    const query = parseListQuery(pairs, this.settings.config.limits);
    const page = await this.rpc.call(registryImages.list, { ctx: callerOf(request), query });
    const lastId = page.isFullPage ? page.images.at(-1)?.id : undefined;
    return {
      images: page.images.map((image) => this.view(image)),
      ...listLinks('/v2/images', pairs, lastId),
      schema: '/v2/schemas/images',
      ...countOf(page, reply),
    };
  }

  @Get(':id')
  @Body('reject')
  async show(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImageView | undefined> {
    const image = await this.rpc.call(registryImages.get, { ctx: callerOf(request), id: imageIdFrom(id) });
    const verdict = judgePreconditions(request.headers, { etag: etagOf(image) });
    if (verdict === 'failed')
      throw new ServiceError('PRECONDITION_FAILED', `Image ${image.id} is not the one of If-Match.`);
    const view = this.answer(image, reply);
    if (verdict === 'proceed') return view;
    reply.code(304);
    return undefined;
  }

  @Patch(':id')
  @Body('own')
  async update(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImageView> {
    const dialect = patchDialect(request.headers['content-type']);
    const body = await readJson(request.raw, this.settings.config.http);
    const changes = parsePatch(body, dialect, this.schema);
    const image = await this.rpc.call(registryImages.update, {
      ctx: callerOf(request),
      id: imageIdFrom(id),
      changes,
      ifMatch: valuesToMatch(request.headers['if-match']),
    });
    return this.answer(image, reply);
  }

  @Delete(':id')
  @Body('reject')
  @HttpCode(204)
  async delete(@Param('id') id: string, @Req() request: FastifyRequest): Promise<void> {
    await this.rpc.call(registryImages.delete, {
      ctx: callerOf(request),
      id: imageIdFrom(id),
      ifMatch: valuesToMatch(request.headers['if-match']),
    });
  }

  /** The image's document, with the validator of what it says. */
  private answer(image: Image, reply: FastifyReply): ImageView {
    const etag = etagOf(image);
    if (etag !== undefined) reply.header('etag', etag);
    return this.view(image);
  }

  private view(image: Image): ImageView {
    return toImageView(image, this.settings.config);
  }
}

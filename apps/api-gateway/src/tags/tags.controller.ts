import { Controller, Delete, HttpCode, Param, Put, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { MAX_TEXT_LENGTH, ServiceError, isStorableText, registryImages } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { Body } from '../http/body-policy.js';
import { valuesToMatch } from '../http/entity-tags.js';
import { checkStorableText } from '../http/text.js';
import { imageIdFrom } from '../images/image-id.js';

const onTag = (request: FastifyRequest, id: string, tag: string) => ({
  ctx: callerOf(request),
  id: imageIdFrom(id),
  tag,
  ifMatch: valuesToMatch(request.headers['if-match']),
});

/** The tags of an image, one at a time. */
@Controller('v2/images/:id/tags/:tag')
export class TagsController {
  constructor(private readonly rpc: RpcClient) {}

  @Put()
  @Body('reject')
  @HttpCode(204)
  async add(
    @Param('id') id: string,
    @Param('tag') tag: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    if (tag.length > MAX_TEXT_LENGTH)
      throw new ServiceError('REQUEST_INVALID', `A tag can't be longer than ${MAX_TEXT_LENGTH} characters.`);
    checkStorableText('The tag', tag);
    await this.rpc.call(registryImages.addTag, onTag(request, id, tag));
  }

  @Delete()
  @Body('reject')
  @HttpCode(204)
  async remove(
    @Param('id') id: string,
    @Param('tag') tag: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    if (tag.length > MAX_TEXT_LENGTH || !isStorableText(tag))
      throw new ServiceError('TAG_NOT_FOUND', 'The image has no such tag.');
    await this.rpc.call(registryImages.removeTag, onTag(request, id, tag));
  }
}

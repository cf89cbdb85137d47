import { Controller, Delete, Get, HttpCode, Param, Post, Put, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import {
  type Caller,
  type ImageMember,
  MAX_TEXT_LENGTH,
  ServiceError,
  isStorableText,
  registryMembers,
} from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { Body } from '../http/body-policy.js';
import { imageIdFrom } from '../images/image-id.js';
import { parseMemberUpdate, parseNewMember } from './members.schema.js';

const toView = (member: ImageMember) => ({
  member_id: member.memberId,
  image_id: member.imageId,
  status: member.status,
  created_at: member.createdAt,
  updated_at: member.updatedAt,
  schema: '/v2/schemas/member',
});

interface OnMember {
  readonly ctx: Caller;
  readonly id: string;
  readonly memberId: string;
}

function onMember(request: FastifyRequest, id: string, memberId: string): OnMember {
  if (memberId.length > MAX_TEXT_LENGTH || !isStorableText(memberId))
    throw new ServiceError('MEMBER_NOT_FOUND', 'The image has no such member.');
  return { ctx: callerOf(request), id: imageIdFrom(id), memberId };
}

/** With whom an image is shared. */
@Controller('v2/images/:id/members')
export class MembersController {
  constructor(private readonly rpc: RpcClient) {}

  @Post()
  @HttpCode(200)
  async create(@Param('id') id: string, @Req() request: FastifyRequest) {
    const member = parseNewMember(request.body);
    const created = await this.rpc.call(registryMembers.add, {
      ctx: callerOf(request),
      id: imageIdFrom(id),
      memberId: String(member),
    });
    // A number is given back as it was sent.
    return { ...toView(created), member_id: member };
  }

  @Get()
  @Body('reject')
  async list(@Param('id') id: string, @Req() request: FastifyRequest) {
    const { members } = await this.rpc.call(registryMembers.list, {
      ctx: callerOf(request),
      id: imageIdFrom(id),
    });
    return { members: members.map(toView), schema: '/v2/schemas/members' };
  }

  @Get(':member')
  @Body('reject')
  async show(@Param('id') id: string, @Param('member') memberId: string, @Req() request: FastifyRequest) {
    return toView(await this.rpc.call(registryMembers.get, onMember(request, id, memberId)));
  }

  @Put(':member')
  async update(@Param('id') id: string, @Param('member') memberId: string, @Req() request: FastifyRequest) {
    const status = parseMemberUpdate(request.body);
    const target = onMember(request, id, memberId);
    return toView(await this.rpc.call(registryMembers.setStatus, { ...target, status }));
  }

  @Delete(':member')
  @Body('reject')
  @HttpCode(204)
  async remove(
    @Param('id') id: string,
    @Param('member') memberId: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.rpc.call(registryMembers.remove, onMember(request, id, memberId));
  }
}

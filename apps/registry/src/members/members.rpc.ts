import { HandleRpc } from '@glimpse/bus';
import { type ImageMember, type RequestOf, type ResponseOf, registryMembers } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { MembersService } from './members.service.js';

type Calls = typeof registryMembers;

@Controller()
export class MembersRpc {
  constructor(private readonly members: MembersService) {}

  @HandleRpc(registryMembers.add)
  add({ ctx, id, memberId }: RequestOf<Calls['add']>): Promise<ImageMember> {
    return this.members.add(ctx, id, memberId);
  }

  @HandleRpc(registryMembers.list)
  async list({ ctx, id }: RequestOf<Calls['list']>): Promise<ResponseOf<Calls['list']>> {
    return { members: await this.members.list(ctx, id) };
  }

  @HandleRpc(registryMembers.get)
  get({ ctx, id, memberId }: RequestOf<Calls['get']>): Promise<ImageMember> {
    return this.members.get(ctx, id, memberId);
  }

  @HandleRpc(registryMembers.setStatus)
  setStatus({ ctx, id, memberId, status }: RequestOf<Calls['setStatus']>): Promise<ImageMember> {
    return this.members.setStatus(ctx, id, memberId, status);
  }

  @HandleRpc(registryMembers.remove)
  async remove({ ctx, id, memberId }: RequestOf<Calls['remove']>): Promise<ResponseOf<Calls['remove']>> {
    await this.members.remove(ctx, id, memberId);
    return {};
  }
}

import { z } from 'zod';
import { Caller } from '../domain/caller.js';
import { ImageId } from '../domain/image.js';
import { ImageMember } from '../domain/member.js';
import { rpc } from '../rpc.js';

const OnMembers = z.object({ ctx: Caller, id: ImageId });
const OnMember = OnMembers.extend({ memberId: z.string() });

/** With whom an image is shared. Codes of all: IMAGE_NOT_FOUND, ACTION_FORBIDDEN. */
export const registryMembers = {
  /** Codes: MEMBER_DUPLICATE, QUOTA_EXCEEDED. */
  add: rpc('registry.member.add', { request: OnMember, response: ImageMember }),
  /** Those that the caller may know of. */
  list: rpc('registry.member.list', {
    request: OnMembers,
    response: z.object({ members: z.array(ImageMember) }),
  }),
  /** Every refusal is MEMBER_NOT_FOUND or IMAGE_NOT_FOUND. */
  get: rpc('registry.member.get', { request: OnMember, response: ImageMember }),
  /** Codes: MEMBER_NOT_FOUND, REQUEST_INVALID where the status is none of a member's. */
  setStatus: rpc('registry.member.setStatus', {
    request: OnMember.extend({ status: z.string() }),
    response: ImageMember,
  }),
  /** Codes: MEMBER_NOT_FOUND. */
  remove: rpc('registry.member.remove', { request: OnMember, response: z.object({}) }),
} as const;

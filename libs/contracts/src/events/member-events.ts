import { z } from 'zod';
import { ImageMember } from '../domain/member.js';
import { event } from '../event.js';

const MemberChanged = z.object({ member: ImageMember });

/** Facts about the sharing of images; the subject is the image's id. */
export const memberEvents = {
  created: event('image.member.created', { payload: MemberChanged }),
  updated: event('image.member.updated', { payload: MemberChanged }),
  deleted: event('image.member.deleted', { payload: MemberChanged }),
} as const;

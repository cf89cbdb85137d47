import { z } from 'zod';
import { Timestamp } from './image.js';

export const memberStatuses = ['pending', 'accepted', 'rejected'] as const;
export const MemberStatus = z.enum(memberStatuses);
export type MemberStatus = z.output<typeof MemberStatus>;

/** A project that an image is shared with, and what it makes of that. */
export const ImageMember = z.object({
  imageId: z.string(),
  /** The project's id: any text, nobody checks that there is such a project. */
  memberId: z.string(),
  status: MemberStatus,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type ImageMember = z.output<typeof ImageMember>;

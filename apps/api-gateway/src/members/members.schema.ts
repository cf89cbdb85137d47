import { z } from 'zod';
import { MAX_TEXT_LENGTH, ServiceError, memberStatuses } from '@glimpse/contracts';
import { checkStorableText } from '../http/text.js';

const UUID = /^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$/;

/** A membership as clients see it; published as `/v2/schemas/member`. */
export const MemberDocument = z
  .object({
    member_id: z.string().meta({ description: 'An identifier for the image member (tenantId)' }),
    image_id: z.string().regex(UUID).meta({ description: 'An identifier for the image' }),
    created_at: z.string().meta({ description: 'Date and time of image member creation' }),
    updated_at: z.string().meta({ description: 'Date and time of last modification of image member' }),
    status: z.enum(memberStatuses).meta({ description: 'The status of this image member' }),
    schema: z.string().meta({ readOnly: true }),
  })
  .meta({ id: 'ImageMember' });

/** What `POST …/members` takes; a number counts as the text that it is written as. */
export const NewMember = z.object({
  member: z.union([z.string().min(1).max(MAX_TEXT_LENGTH), z.number()]),
});

/** What `PUT …/members/<id>` takes; the registry knows the statuses. */
export const MemberUpdate = z.object({ status: z.string() });

function parse<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ServiceError('REQUEST_INVALID', `${issue?.path.join('.') || 'The body'}: ${issue?.message}`);
}

/** The project to share with, as it was sent. Throws REQUEST_INVALID. */
export function parseNewMember(body: unknown): string | number {
  const { member } = parse(NewMember, body);
  // As in Glance, where nothing counts as an empty name.
  if (member === 0) throw new ServiceError('REQUEST_INVALID', 'member: must not be empty');
  checkStorableText('The member', String(member));
  return member;
}

/** The status to set. Throws REQUEST_INVALID. */
export const parseMemberUpdate = (body: unknown): string => parse(MemberUpdate, body).status;

const { properties } = z.toJSONSchema(z.object(MemberDocument.shape), { target: 'draft-7' });

/** The document of `/v2/schemas/member`. */
export const publishedMemberSchema = { name: 'member', properties };

/** The document of `/v2/schemas/members`. */
export const publishedMembersSchema = {
  name: 'members',
  properties: {
    members: { type: 'array', items: publishedMemberSchema },
    schema: { type: 'string' },
  },
  links: [{ rel: 'describedby', href: '{schema}' }],
};

import { z } from 'zod';
import {
  type DescribeRoutes,
  type RouteDescription,
  type RouteParameter,
  empty,
  json,
} from '../openapi/route-description.js';
import { MemberDocument, MemberUpdate, NewMember } from './members.schema.js';

const tag = 'Members';
const path = '/v2/images/:id/members';
const id: RouteParameter = { in: 'path', name: 'id', description: 'The id of the image.' };
const member: RouteParameter = {
  in: 'path',
  name: 'member',
  description: 'The project that the image is shared with.',
};
const Members = z
  .object({ members: z.array(MemberDocument), schema: z.string() })
  .meta({ id: 'ImageMembers' });
const NOT_SHARED = 'The image is not shared, or the caller may not do this.';

const ofImage: readonly RouteDescription[] = [
  {
    method: 'POST',
    path,
    tag,
    summary: 'Share an image with a project',
    description: 'The image’s visibility has to be `shared`, as it is unless told otherwise.',
    parameters: [id],
    body: { content: json(NewMember), isRequired: true },
    answers: { 200: { description: 'The membership, pending.', content: json(MemberDocument) } },
    errors: {
      400: 'There is no member in the body, or one that cannot be stored.',
      403: NOT_SHARED,
      404: 'There is no such image.',
      409: 'The image is shared with the project already.',
      413: 'The image has as many members as it may have.',
    },
  },
  {
    method: 'GET',
    path,
    tag,
    summary: 'List with whom an image is shared',
    description: 'All members for the owner and admins; a member sees itself.',
    parameters: [id],
    answers: { 200: { description: 'The memberships.', content: json(Members) } },
    errors: { 400: 'The request has a body.', 403: NOT_SHARED, 404: 'There is no such image.' },
  },
];

const ofMember: readonly RouteDescription[] = [
  {
    method: 'GET',
    path: `${path}/:member`,
    tag,
    summary: 'Show a membership',
    parameters: [id, member],
    answers: { 200: { description: 'The membership.', content: json(MemberDocument) } },
    errors: {
      400: 'The request has a body.',
      404: 'There is no such image or membership, or not for the caller.',
    },
  },
  {
    method: 'PUT',
    path: `${path}/:member`,
    tag,
    summary: 'Accept or reject an image',
    description: 'For the member itself and admins. What is accepted is in the member’s lists.',
    parameters: [id, member],
    body: { content: json(MemberUpdate), isRequired: true },
    answers: { 200: { description: 'The membership as it is now.', content: json(MemberDocument) } },
    errors: {
      400: 'There is no status in the body, or one that is none.',
      403: 'The caller owns the image, or the image is not shared.',
      404: 'There is no such image or membership.',
    },
  },
  {
    method: 'DELETE',
    path: `${path}/:member`,
    tag,
    summary: 'Share an image with a project no longer',
    parameters: [id, member],
    answers: { 204: empty('The project is no member any more.') },
    errors: {
      400: 'The request has a body.',
      403: NOT_SHARED,
      404: 'There is no such image or membership.',
    },
  },
];

export const describeMembers: DescribeRoutes = () => [...ofImage, ...ofMember];

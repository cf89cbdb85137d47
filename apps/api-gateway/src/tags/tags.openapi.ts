import { MAX_TEXT_LENGTH } from '@glimpse/contracts';
import { z } from 'zod';
import { type DescribeRoutes, type RouteParameter, empty } from '../openapi/route-description.js';

const path = '/v2/images/:id/tags/:tag';
const tag = 'Tags';
const parameters: readonly RouteParameter[] = [
  { in: 'path', name: 'id', description: 'The id of the image.' },
  { in: 'path', name: 'tag', description: 'The tag.', schema: z.string().max(MAX_TEXT_LENGTH) },
];

export const describeTags: DescribeRoutes = () => [
  {
    method: 'PUT',
    path,
    tag,
    summary: 'Add a tag to an image',
    parameters,
    answers: { 204: empty('The image has the tag, now or since before.') },
    errors: {
      400: 'The tag is too long, or has characters that cannot be stored.',
      403: 'The image is not the caller’s.',
      404: 'There is no such image.',
      413: 'The image has as many tags as it may have.',
    },
  },
  {
    method: 'DELETE',
    path,
    tag,
    summary: 'Remove a tag from an image',
    parameters,
    answers: { 204: empty('The tag is gone.') },
    errors: { 403: 'The image is not the caller’s.', 404: 'There is no such image, or it has no such tag.' },
  },
];

import { type DescribeRoutes, type RouteParameter, json } from '../openapi/route-description.js';
import { VerificationDocument } from './verification.schema.js';

const tag = 'Images';
const parameters: readonly RouteParameter[] = [
  { in: 'path', name: 'id', description: 'The id of the image.' },
];
const content = json(VerificationDocument);

export const describeVerification: DescribeRoutes = () => [
  {
    method: 'GET',
    path: '/v2/images/:id/verification',
    tag,
    summary: 'Show whether the data of an image is still what was stored',
    description: 'For the owner of the image and administrators.',
    isAddition: true,
    parameters,
    answers: { 200: { description: 'What is known of each copy.', content } },
    errors: {
      400: 'The request has a body.',
      403: 'The image is not the caller’s.',
      404: 'There is no such image.',
    },
  },
  {
    method: 'POST',
    path: '/v2/images/:id/actions/verify',
    tag,
    summary: 'Have the data of an image read again',
    description:
      'For administrators. Every copy is read and compared with what is recorded, before those that only have their turn. A damaged one is taken out of service and, where another store has a good one, repaired.',
    isAddition: true,
    parameters,
    answers: { 202: { description: 'The copies wait for their turn.', content } },
    errors: {
      400: 'The request has a body.',
      403: 'The caller may not do this.',
      404: 'There is no such image.',
      409: 'The image has no data.',
    },
  },
];

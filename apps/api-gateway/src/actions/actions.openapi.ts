import { type DescribeRoutes, type RouteParameter, empty } from '../openapi/route-description.js';

const tag = 'Images';
const parameters: readonly RouteParameter[] = [
  { in: 'path', name: 'id', description: 'The id of the image.' },
];
const errors = {
  400: 'The request has a body.',
  403: 'The image has no data, or is not the caller’s.',
  404: 'There is no such image.',
};

export const describeActions: DescribeRoutes = () => [
  {
    method: 'POST',
    path: '/v2/images/:id/actions/deactivate',
    tag,
    summary: 'Take the data of an image away from everybody but admins',
    parameters,
    answers: { 204: empty('The image is deactivated, now or since before.') },
    errors,
  },
  {
    method: 'POST',
    path: '/v2/images/:id/actions/reactivate',
    tag,
    summary: 'Give the data of an image back',
    parameters,
    answers: { 204: empty('The image is active, now or since before.') },
    errors,
  },
];

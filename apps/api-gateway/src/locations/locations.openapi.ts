import { z } from 'zod';
import { type DescribeRoutes, type RouteParameter, empty, json } from '../openapi/route-description.js';
import { LocationDocument, NewLocationBody } from './locations.schema.js';

const tag = 'Locations';
const path = '/v2/images/:id/locations';
const id: RouteParameter = { in: 'path', name: 'id', description: 'The id of the image.' };

export const describeLocations: DescribeRoutes = () => [
  {
    method: 'POST',
    path,
    tag,
    summary: 'Register where the data of an image is',
    description:
      'For a queued image. Callers without the role `service` can name http(s) URLs only, where a store reads them. What becomes of it is told by the image’s status and its tasks.',
    parameters: [id],
    body: { content: json(NewLocationBody), isRequired: true },
    answers: { 202: empty('The task has begun.') },
    errors: {
      400: 'There is no URL in the body, or a hash that is none.',
      403: 'The caller may not do this, or not with such a URL.',
      404: 'There is no such image.',
      409: 'The image is not queued, or another task is at work on it.',
      413: 'The project’s images take more than they may.',
    },
  },
  {
    method: 'GET',
    path,
    tag,
    summary: 'Show where the data of an image is',
    description: 'For services. URLs are shown without the credentials that they may hold.',
    parameters: [id],
    answers: { 200: { description: 'The locations, best first.', content: json(z.array(LocationDocument)) } },
    errors: {
      400: 'The request has a body.',
      403: 'The caller is no service.',
      404: 'There is no such image.',
    },
  },
];

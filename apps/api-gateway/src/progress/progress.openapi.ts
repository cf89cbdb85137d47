import { z } from 'zod';
import { type DescribeRoutes, type RouteAnswer, type RouteParameter } from '../openapi/route-description.js';
import { TransferDocument } from './transfer-view.js';

const tag = 'Progress';
const TransferList = z.object({ transfers: z.array(TransferDocument) }).meta({ id: 'Transfers' });

const parameters: readonly RouteParameter[] = [
  {
    in: 'header',
    name: 'Last-Event-ID',
    description:
      'The id of the last event that the client has seen of an earlier stream: what has ended since is shown too.',
  },
];

const shown: RouteAnswer = {
  description:
    'Server-sent events: `progress` with a transfer as JSON, first one for each that goes on or ended a moment ago, then about one a second for each that goes on; `end` with the reason when there is nothing more to come. A client that accepts only JSON gets the state once.',
  content: { 'text/event-stream': 'text', 'application/json': TransferList },
};

const errors = {
  400: 'The request has a body.',
  429: 'The caller has as many streams open as allowed.',
};

export const describeProgress: DescribeRoutes = () => [
  {
    method: 'GET',
    path: '/v2/images/:id/progress',
    tag,
    summary: 'Follow what is done with the data of an image',
    description:
      'For whoever may see the image; why attempts failed is told to its owner and to admins. The stream ends when the image has its data, or when what was begun for it came to nothing.',
    parameters: [{ in: 'path', name: 'id', description: 'The id of the image.' }, ...parameters],
    answers: { 200: shown, 204: { description: 'The client has seen the end, and nothing came since.' } },
    errors: { ...errors, 404: 'There is no such image.' },
    isAddition: true,
  },
  {
    method: 'GET',
    path: '/v2/progress',
    tag,
    summary: 'Follow what is done with the data of all images',
    description:
      'Admins see all, others what is done with the images of their project. The stream does not end.',
    parameters,
    answers: { 200: shown },
    errors: { ...errors, 403: 'The caller may not list images.' },
    isAddition: true,
  },
];

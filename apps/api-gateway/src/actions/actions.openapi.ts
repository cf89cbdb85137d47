import { z } from 'zod';
import {
  type DescribeRoutes,
  type RouteDescription,
  type RouteParameter,
  empty,
  json,
} from '../openapi/route-description.js';
import { ConversionBody } from './conversion-request.js';

const tag = 'Images';
const parameters: readonly RouteParameter[] = [
  { in: 'path', name: 'id', description: 'The id of the image.' },
];
const errors = {
  400: 'The request has a body.',
  403: 'The image has no data, or is not the caller’s.',
  404: 'There is no such image.',
};

const convert: RouteDescription = {
  method: 'POST',
  path: '/v2/images/:id/actions/convert',
  tag,
  summary: 'Make a new image of the disk in this one, in another format',
  description:
    'The new image is the caller’s own, private, and `importing` until it is converted; this one is not touched. It has the name, tags, properties and minimal requirements of this one. Needs the right to download this image and to create one.',
  parameters,
  body: { content: json(ConversionBody), isRequired: true },
  answers: {
    202: {
      description: 'The new image; `Location` says where it is.',
      content: json(z.looseObject({ id: z.string(), status: z.string() }).meta({ id: 'ConvertedImage' })),
      headers: { Location: 'The URL of the new image.' },
    },
  },
  errors: {
    400: 'The document makes no sense, or a store takes no data.',
    403: 'The caller may not download this image, or not create one.',
    404: 'There is no such image.',
    409: 'The image is not active, has that format already, or can not be converted; or there is no such store.',
    413: 'A quota is exceeded.',
  },
  isAddition: true,
};

export const describeActions: DescribeRoutes = ({ import: imports }) => [
  ...(imports.conversion.onRequest ? [convert] : []),
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

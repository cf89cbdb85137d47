import { z } from 'zod';
import {
  type DescribeRoutes,
  type RouteDescription,
  type RouteParameter,
  bytes,
  empty,
  json,
} from '../openapi/route-description.js';
import { ImportBody } from './import-request.js';

const ImportInfo = z
  .object({
    'import-methods': z.object({
      description: z.string(),
      type: z.literal('array'),
      value: z.array(z.string()),
    }),
  })
  .meta({ id: 'ImportInfo' });

const tag = 'Import';
const id: RouteParameter = { in: 'path', name: 'id', description: 'The id of the image.' };

const stage: RouteDescription = {
  method: 'PUT',
  path: '/v2/images/:id/stage',
  tag,
  summary: 'Stage data to be imported',
  description:
    'The image is `queued` before and `uploading` from then on, until the data is imported; when it fails it is `queued` again.',
  parameters: [
    id,
    {
      in: 'header',
      name: 'X-OpenStack-Image-Size',
      description: 'The number of bytes that will come; 0 where it is unknown.',
      schema: z.int(),
    },
  ],
  body: { content: bytes(), description: 'The data, of any length.' },
  answers: { 204: empty('The data is staged.') },
  errors: {
    400: 'Not the announced number of bytes.',
    403: 'The image is not the caller’s.',
    404: 'There is no such image, or glance-direct is not offered.',
    409: 'The image is not queued.',
    410: 'The image was changed or deleted meanwhile.',
    413: 'The image is larger than it may be, a quota is exceeded, or the store is full.',
    415: 'The content type is another one.',
  },
};

const begin = (isMultiStore: boolean): RouteDescription => ({
  method: 'POST',
  path: '/v2/images/:id/import',
  tag,
  summary: 'Import the data of an image',
  description:
    'The data is brought in the background: the status of the image, `os_glance_importing_to_stores`, `os_glance_failed_import` and the tasks of the image say what becomes of it. An import that fails leaves the image `queued` (with copy-image `active`), and can be repeated.',
  parameters: [
    id,
    ...(isMultiStore
      ? [
          {
            in: 'header' as const,
            name: 'X-Image-Meta-Store',
            description: 'The store to import into, in place of the default one.',
          },
        ]
      : []),
  ],
  body: { content: json(ImportBody), isRequired: true },
  answers: { 202: empty('The import has begun.') },
  errors: {
    400: 'The document makes no sense, the method is not offered, or the URI does not pass filtering.',
    403: 'The caller may not import this image.',
    404: 'There is no such image.',
    409: 'The image is in another status, has no formats, is being imported already, or there is no such store.',
    413: 'A quota is exceeded.',
  },
});

export const describeImports: DescribeRoutes = ({ isMultiStore }) => [
  stage,
  begin(isMultiStore),
  {
    method: 'GET',
    path: '/v2/info/import',
    tag: 'Import',
    summary: 'List the import methods',
    answers: {
      200: { description: 'The methods; none where nothing is imported.', content: json(ImportInfo) },
    },
    errors: { 400: 'The request has a body.' },
  },
];

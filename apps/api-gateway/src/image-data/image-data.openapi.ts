import { z } from 'zod';
import {
  type DescribeRoutes,
  type RouteDescription,
  type RouteParameter,
  bytes,
  empty,
} from '../openapi/route-description.js';

const path = '/v2/images/:id/file';
const tag = 'Image data';
const id: RouteParameter = { in: 'path', name: 'id', description: 'The id of the image.' };

const dataHeaders = {
  'Content-MD5': 'The MD5 of the whole image in hex; left out where it is not known.',
  'Content-Length': 'The number of bytes in this answer.',
  ETag: 'A strong validator of the data, made of its hash; left out where none is known.',
  'Accept-Ranges': '`bytes`.',
  'Repr-Digest': 'The hash of the whole image (RFC 9530), where `Want-Repr-Digest` asks for it.',
};

const conditions: readonly RouteParameter[] = [
  { in: 'header', name: 'If-Match', description: 'The data that is meant, by its ETag.', isAddition: true },
  { in: 'header', name: 'If-None-Match', description: 'The data that the client has.', isAddition: true },
  {
    in: 'header',
    name: 'Want-Repr-Digest',
    description: 'Asks for `Repr-Digest`, e.g. `sha-512=1`.',
    isAddition: true,
  },
];

const prefer: RouteParameter = {
  in: 'query',
  name: 'prefer',
  description: 'Stores to read from first, separated by commas.',
};

const noData = empty('The image has no data yet.');
const unchanged = empty('The client has the data already.');
const errors = {
  403: 'The image is deactivated, or the caller may not download it.',
  404: 'There is no such image.',
  409: 'The data is known to be damaged or lost in every store that has it.',
  412: 'The data is not what If-Match names.',
};

const upload = (isMultiStore: boolean): RouteDescription => ({
  method: 'PUT',
  path,
  tag,
  summary: 'Upload the data of an image',
  description:
    'The image is `queued` before, `saving` meanwhile and `active` after; when the upload fails it is `queued` again.',
  parameters: [
    id,
    {
      in: 'header',
      name: 'X-OpenStack-Image-Size',
      description: 'The number of bytes that will come; 0 where it is unknown.',
      schema: z.int(),
    },
    ...(isMultiStore
      ? [
          {
            in: 'header' as const,
            name: 'X-Image-Meta-Store',
            description: 'The store to keep the data in, in place of the default one.',
          },
        ]
      : []),
  ],
  body: { content: bytes(), description: 'The data, of any length.' },
  answers: { 204: empty('The image is active.') },
  errors: {
    400: 'Not the announced number of bytes, an unknown store, or an image without its formats.',
    403: 'The image is not the caller’s.',
    404: 'There is no such image.',
    409: 'The image is not queued.',
    410: 'The image was changed or deleted meanwhile.',
    413: 'The image is larger than it may be, or the store is full.',
    415: 'The content type is another one, or the data are not of the format that the image names.',
  },
});

const download = (isMultiStore: boolean): RouteDescription => ({
  method: 'GET',
  path,
  tag,
  summary: 'Download the data of an image',
  parameters: [
    id,
    { in: 'header', name: 'Range', description: 'One range of bytes, e.g. `bytes=0-1023`.' },
    {
      in: 'header',
      name: 'Content-Range',
      description: 'The older way to ask for a range: `bytes 0-1023/*`.',
    },
    {
      in: 'header',
      name: 'If-Range',
      description: 'The data that the range is of, by its ETag; all of it is sent where it is other data.',
      isAddition: true,
    },
    ...conditions,
    ...(isMultiStore ? [prefer] : []),
  ],
  answers: {
    200: { description: 'The data.', content: bytes(), headers: dataHeaders },
    204: noData,
    206: {
      description: 'The range.',
      content: bytes(),
      headers: { ...dataHeaders, 'Content-Range': 'Which bytes of how many these are.' },
    },
    304: unchanged,
    307: {
      ...empty('The data is to be read from its store, where that is configured to give direct downloads.'),
      headers: { Location: 'A URL that is valid for a while, and for whoever has it.' },
    },
  },
  errors: {
    400: 'Several ranges, or a preferred store that is unknown.',
    ...errors,
    416: 'The range lies outside of the image, or is none.',
  },
});

const look = (isMultiStore: boolean): RouteDescription => ({
  method: 'HEAD',
  path,
  tag,
  summary: 'What a download would say, without the data',
  parameters: [id, ...conditions, ...(isMultiStore ? [prefer] : [])],
  answers: {
    200: { description: 'There is data.', headers: dataHeaders },
    204: noData,
    304: unchanged,
  },
  errors: { 400: 'A preferred store is unknown.', ...errors },
  isAddition: true,
});

export const describeImageData: DescribeRoutes = ({ isMultiStore }) => [
  upload(isMultiStore),
  download(isMultiStore),
  look(isMultiStore),
];

import { sortKeys } from '@glimpse/contracts';
import { z } from 'zod';
import {
  type DescribeRoutes,
  type RouteDescription,
  type RouteParameter,
  empty,
  json,
} from '../openapi/route-description.js';
import { imageDocument, imagePage } from './image-document.schema.js';
import { listParameters } from './list-parameters.js';
import { createImageSchema, createNewImageSchema } from './images.schema.js';

const tag = 'Images';
const id: RouteParameter = { in: 'path', name: 'id', description: 'The id of the image.' };
const etag = { ETag: 'Names this state of the image: for If-Match and If-None-Match.' };
const ifMatch: RouteParameter = {
  in: 'header',
  name: 'If-Match',
  description:
    'The ETag of the state that the change is meant for; refused with 412 when the image has another one.',
  isAddition: true,
};
const ifNoneMatch: RouteParameter = {
  in: 'header',
  name: 'If-None-Match',
  description: 'An ETag that the client has; answered with 304 when the image is still that.',
  isAddition: true,
};

const READ_ONLY = {
  status: true,
  checksum: true,
  os_hash_algo: true,
  os_hash_value: true,
  size: true,
  virtual_size: true,
  created_at: true,
  updated_at: true,
  direct_url: true,
  self: true,
  file: true,
  schema: true,
  locations: true,
} as const;

const PatchV21 = z
  .array(
    z.object({
      op: z.enum(['add', 'replace', 'remove']),
      path: z.string().meta({ description: 'A JSON pointer, e.g. `/name`.' }),
      value: z.unknown().optional(),
    }),
  )
  .meta({ id: 'PatchV21' });
const PatchV20 = z
  .array(
    z.union([
      z.object({ add: z.string(), value: z.unknown() }),
      z.object({ replace: z.string(), value: z.unknown() }),
      z.object({ remove: z.string() }),
    ]),
  )
  .meta({ id: 'PatchV20' });

const createImage = (NewImage: z.ZodType, Image: z.ZodType, isMultiStore: boolean): RouteDescription => ({
  method: 'POST',
  path: '/v2/images',
  tag,
  summary: 'Create an image',
  description:
    'It is `queued` until its data is uploaded. Keys that the schema does not name are custom properties.',
  body: { content: json(NewImage) },
  answers: {
    201: {
      description: 'The image.',
      content: json(Image),
      headers: {
        Location: 'The URL of the image.',
        ...etag,
        ...(isMultiStore ? { 'OpenStack-image-store-ids': 'The stores, separated by commas.' } : {}),
      },
    },
  },
  errors: {
    400: 'The document is not what the schema wants.',
    403: 'A key is read-only or reserved, or the caller may not do this.',
    409: 'There is, or was, an image with this id.',
    413: 'More images, properties or tags than there may be.',
  },
});

const listImages = (Page: z.ZodType): RouteDescription => ({
  method: 'GET',
  path: '/v2/images',
  tag,
  summary: 'List images',
  description: `Any other parameter is a custom property and its value. Sorted by \`created_at\`, newest first, unless told otherwise; the keys are ${sortKeys.map((key) => `\`${key}\``).join(', ')}.`,
  parameters: listParameters,
  answers: {
    200: {
      description: 'A page.',
      content: json(Page),
      headers: { 'X-Total-Count': 'With `count=true`: as `count` in the body.' },
    },
  },
  errors: {
    400: 'A parameter has a value that means nothing, or the marker is no image.',
    403: 'The caller may not list images, or not see the marker.',
  },
});

const showImage = (Image: z.ZodType): RouteDescription => ({
  method: 'GET',
  path: '/v2/images/:id',
  tag,
  summary: 'Show an image',
  parameters: [id, ifMatch, ifNoneMatch],
  answers: {
    200: { description: 'The image.', content: json(Image), headers: etag },
    304: empty('Unchanged.'),
  },
  errors: {
    400: 'The request has a body.',
    404: 'There is no such image, or not for the caller.',
    412: 'The image has another ETag than that of If-Match.',
  },
});

const updateImage = (Image: z.ZodType): RouteDescription => ({
  method: 'PATCH',
  path: '/v2/images/:id',
  tag,
  summary: 'Change an image',
  description: 'All changes or none.',
  parameters: [id, ifMatch],
  body: {
    content: {
      'application/openstack-images-v2.1-json-patch': PatchV21,
      'application/openstack-images-v2.0-json-patch': PatchV20,
    },
  },
  answers: { 200: { description: 'The image as it is now.', content: json(Image), headers: etag } },
  errors: {
    400: 'The patch is none, or a value is not what the schema wants.',
    403: 'A key is read-only or reserved, or the image is not the caller’s.',
    404: 'There is no such image.',
    409: 'A property that is replaced or removed is not there, or one that is added is.',
    412: 'The image has another ETag than that of If-Match.',
    413: 'More properties, tags or locations than there may be.',
    415: 'The media type is none of a patch; `Accept-Patch` names those that are.',
  },
});

const deleteImage: RouteDescription = {
  method: 'DELETE',
  path: '/v2/images/:id',
  tag,
  summary: 'Delete an image',
  parameters: [id, ifMatch],
  answers: { 204: empty('The image is gone; its data follows.') },
  errors: {
    400: 'The request has a body.',
    403: 'The image is protected, or not the caller’s.',
    404: 'There is no such image.',
    409: 'The image is in use.',
    412: 'The image has another ETag than that of If-Match.',
  },
};

export const describeImages: DescribeRoutes = ({ images, isMultiStore }) => {
  const schema = createImageSchema(images);
  const Image = imageDocument(schema);
  const NewImage = createNewImageSchema(images).omit(READ_ONLY).meta({ id: 'NewImage' });
  return [
    createImage(NewImage, Image, isMultiStore),
    listImages(imagePage(schema)),
    showImage(Image),
    updateImage(Image),
    deleteImage,
  ];
};

import { z } from 'zod';
import { type DescribeRoutes, empty, json } from '../openapi/route-description.js';

const tag = 'Stores';
const Store = z.object({
  id: z.string(),
  description: z.string().optional(),
  default: z.literal('true').optional().meta({ description: 'Data goes here unless told otherwise.' }),
  'read-only': z.literal('true').optional(),
});
const Stores = z.object({ stores: z.array(Store) }).meta({ id: 'Stores' });
const DetailedStores = z
  .object({
    stores: z.array(
      Store.extend({
        type: z.string(),
        weight: z.int().meta({ description: 'Stores of greater weight are read first.' }),
        properties: z.record(z.string(), z.unknown()),
      }),
    ),
  })
  .meta({ id: 'DetailedStores' });
const NO_STORES = 'The service has one store only.';

export const describeStores: DescribeRoutes = () => [
  {
    method: 'GET',
    path: '/v2/info/stores',
    tag,
    summary: 'List the stores',
    answers: { 200: { description: 'The stores.', content: json(Stores) } },
    errors: { 400: 'The request has a body.', 404: NO_STORES },
  },
  {
    method: 'GET',
    path: '/v2/info/stores/detail',
    tag,
    summary: 'List the stores with their configuration',
    description: 'For administrators and services.',
    answers: { 200: { description: 'The stores.', content: json(DetailedStores) } },
    errors: { 400: 'The request has a body.', 403: 'The caller may not know this.', 404: NO_STORES },
  },
  {
    method: 'DELETE',
    path: '/v2/stores/:store/:id',
    tag,
    summary: 'Remove an image from one store',
    description:
      'The image is gone from the store for everybody at once; its data is removed in the background.',
    parameters: [
      { in: 'path', name: 'store', description: 'The id of the store.' },
      { in: 'path', name: 'id', description: 'The id of the image.' },
    ],
    answers: { 204: empty('The image is not in the store any more.') },
    errors: {
      400: 'The request has a body.',
      403: 'It is the only location of the image, or the caller may not do this.',
      404: 'There is no such image, it is not in that store, or the service has one store only.',
      409: 'There is no such store, or the image is not active.',
    },
  },
];

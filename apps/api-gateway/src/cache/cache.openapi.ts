import { z } from 'zod';
import {
  type DescribeRoutes,
  type RouteDescription,
  type RouteMethod,
  type RouteParameter,
  empty,
  json,
} from '../openapi/route-description.js';
import { CacheState, CachedImages, Deleted, Pruned, QueuedImages } from './cache.schema.js';

const tag = 'Image cache';
const id: RouteParameter = { in: 'path', name: 'id', description: 'The id of the image.' };
const forbidden = 'The caller may not manage the cache.';
const notCached = 'This server does not cache images.';
const errors = { 403: forbidden, 404: notCached };
const onImage = { 403: forbidden, 404: `There is no such image, or: ${notCached}` };

const routes: readonly RouteDescription[] = [
  {
    method: 'GET',
    path: '/v2/cache',
    tag,
    summary: 'List the images in the cache of this server, and those queued for it',
    answers: { 200: { description: 'The images.', content: json(CacheState) } },
    errors,
  },
  {
    method: 'DELETE',
    path: '/v2/cache',
    tag,
    summary: 'Empty the cache, the queue, or both',
    parameters: [
      {
        in: 'header',
        name: 'X-Image-Cache-Clear-Target',
        description: 'What to empty; both where it is left out.',
        schema: z.enum(['cache', 'queue']),
      },
    ],
    answers: { 204: empty('It is empty.') },
    errors: { ...errors, 400: 'The target is another one.' },
  },
  {
    method: 'PUT',
    path: '/v2/cache/:id',
    tag,
    summary: 'Fetch an image into the cache in the background',
    parameters: [id],
    answers: { 202: empty('It is queued.') },
    errors: { ...onImage, 400: 'The image is not active.', 413: 'It is larger than the cache.' },
  },
  {
    method: 'DELETE',
    path: '/v2/cache/:id',
    tag,
    summary: 'Remove an image from the cache and the queue',
    parameters: [id],
    answers: { 204: empty('It is not there, now or since before.') },
    errors: onImage,
  },
  {
    method: 'GET',
    path: '/v2/cache/nodes/:id',
    tag,
    summary: 'The servers that have an image in their caches',
    description: 'Servers do not know of each other’s caches, so that this is always refused.',
    parameters: [id],
    answers: {},
    errors: { ...errors, 409: 'There is no table of caches.' },
  },
  {
    method: 'POST',
    path: '/v2/cache/clean',
    tag,
    summary: 'Remove what belongs to no image',
    answers: { 200: empty('It is gone.') },
    errors,
  },
  {
    method: 'POST',
    path: '/v2/cache/prune',
    tag,
    summary: 'Remove what is beyond the bound',
    answers: { 200: { description: 'What was removed.', content: json(Pruned) } },
    errors,
  },
];

function managed(
  method: RouteMethod,
  path: `/${string}`,
  summary: string,
  answer: z.ZodType = z.null(),
): RouteDescription {
  return {
    method,
    path,
    tag,
    summary,
    isDeprecated: true,
    parameters: path.endsWith(':id') ? [id] : [],
    answers: { 200: { description: 'Done.', content: json(answer) } },
    errors: { 403: forbidden },
  };
}

const managementRoutes: readonly RouteDescription[] = [
  managed('GET', '/v2/cached_images', 'List the cached images', CachedImages),
  managed('DELETE', '/v2/cached_images', 'Empty the cache', Deleted),
  managed('DELETE', '/v2/cached_images/:id', 'Remove an image from the cache'),
  managed('GET', '/v2/queued_images', 'List the queued images', QueuedImages),
  managed('DELETE', '/v2/queued_images', 'Empty the queue', Deleted),
  managed('PUT', '/v2/queued_images/:id', 'Queue an image for the cache'),
  managed('DELETE', '/v2/queued_images/:id', 'Take an image out of the queue'),
];

export const describeCache: DescribeRoutes = ({ cache }) => [
  ...routes,
  ...(cache.dir !== undefined && cache.managementRoutes ? managementRoutes : []),
];

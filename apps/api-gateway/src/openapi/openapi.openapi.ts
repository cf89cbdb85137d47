import { z } from 'zod';
import {
  type Content,
  type DescribeRoutes,
  type RouteDescription,
  bytes,
  json,
} from './route-description.js';

const tag = 'This document';

const OpenApi = z.looseObject({ openapi: z.string(), info: z.looseObject({}), paths: z.looseObject({}) });

const AsyncApi = z.looseObject({
  asyncapi: z.string(),
  info: z.looseObject({}),
  channels: z.looseObject({}),
});

const YAML = { 'application/yaml': 'text' } as const;

const described = (
  path: RouteDescription['path'],
  summary: string,
  description: string,
  content: Content,
): RouteDescription => ({
  method: 'GET',
  path,
  tag,
  summary,
  answers: { 200: { description, content } },
  isOpen: true,
  isAddition: true,
});

/** The description of the API describes itself too. */
export const describeOpenApi: DescribeRoutes = () => [
  described('/v2/openapi.json', 'This document as JSON', 'OpenAPI 3.1.', json(OpenApi)),
  described('/v2/openapi.yaml', 'This document as YAML', 'OpenAPI 3.1.', YAML),
  described('/v2/asyncapi.json', 'The messages on the bus, as JSON', 'AsyncAPI 3.0.', json(AsyncApi)),
  described('/v2/asyncapi.yaml', 'The messages on the bus, as YAML', 'AsyncAPI 3.0.', YAML),
  described('/v2/docs', 'This document as a page to browse', 'The page.', { 'text/html': 'text' }),
  described('/v2/docs/start.js', 'What starts the page', 'A script.', { 'text/javascript': 'text' }),
  {
    method: 'GET',
    path: '/v2/docs/:file',
    tag,
    summary: 'A file of the page',
    answers: {
      200: {
        description: 'The file.',
        content: { 'text/css': 'text', 'text/javascript': 'text', ...bytes('image/png') },
      },
    },
    errors: { 404: 'The page has no such file.' },
    isOpen: true,
    isAddition: true,
  },
];

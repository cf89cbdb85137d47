import { z } from 'zod';
import { type DescribeRoutes, bytes, json } from './route-description.js';

const tag = 'This document';

const OpenApi = z.looseObject({ openapi: z.string(), info: z.looseObject({}), paths: z.looseObject({}) });

/** The description of the API describes itself too. */
export const describeOpenApi: DescribeRoutes = () => [
  {
    method: 'GET',
    path: '/v2/openapi.json',
    tag,
    summary: 'This document as JSON',
    answers: { 200: { description: 'OpenAPI 3.1.', content: json(OpenApi) } },
    isOpen: true,
    isAddition: true,
  },
  {
    method: 'GET',
    path: '/v2/openapi.yaml',
    tag,
    summary: 'This document as YAML',
    answers: { 200: { description: 'OpenAPI 3.1.', content: { 'application/yaml': 'text' } } },
    isOpen: true,
    isAddition: true,
  },
  {
    method: 'GET',
    path: '/v2/docs',
    tag,
    summary: 'This document as a page to browse',
    answers: { 200: { description: 'The page.', content: { 'text/html': 'text' } } },
    isOpen: true,
    isAddition: true,
  },
  {
    method: 'GET',
    path: '/v2/docs/start.js',
    tag,
    summary: 'What starts the page',
    answers: { 200: { description: 'A script.', content: { 'text/javascript': 'text' } } },
    isOpen: true,
    isAddition: true,
  },
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

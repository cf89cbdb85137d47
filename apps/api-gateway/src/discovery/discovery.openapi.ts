import { z } from 'zod';
import { type DescribeRoutes, json } from '../openapi/route-description.js';

const tag = 'Versions';

const Versions = z
  .object({
    versions: z.array(
      z.object({
        id: z.string().meta({ examples: ['v2.17'] }),
        status: z.enum(['CURRENT', 'SUPPORTED']),
        links: z.array(z.object({ rel: z.literal('self'), href: z.string() })),
      }),
    ),
  })
  .meta({ id: 'Versions' });

export const describeDiscovery: DescribeRoutes = () => [
  {
    method: 'GET',
    path: '/',
    tag,
    summary: 'The versions of the API',
    description: 'Any method, and any path outside of a version, answers alike.',
    answers: { 300: { description: 'The versions.', content: json(Versions) } },
    isOpen: true,
  },
  {
    method: 'GET',
    path: '/versions',
    tag,
    summary: 'The versions of the API, with 200',
    answers: { 200: { description: 'The versions.', content: json(Versions) } },
    isOpen: true,
  },
  {
    method: 'GET',
    path: '/v2',
    tag,
    summary: 'Leads to /v2/',
    answers: {
      302: { description: 'An empty answer.', headers: { Location: 'The base URL of the version.' } },
    },
  },
];

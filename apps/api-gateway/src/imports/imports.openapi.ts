import { z } from 'zod';
import { type DescribeRoutes, json } from '../openapi/route-description.js';

const ImportInfo = z
  .object({
    'import-methods': z.object({
      description: z.string(),
      type: z.literal('array'),
      value: z.array(z.string()),
    }),
  })
  .meta({ id: 'ImportInfo' });

export const describeImports: DescribeRoutes = () => [
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

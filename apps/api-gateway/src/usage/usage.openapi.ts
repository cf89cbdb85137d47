import { z } from 'zod';
import { type DescribeRoutes, json } from '../openapi/route-description.js';

const MIB = 'In MiB.';
const ofLimit = (description?: string) =>
  z
    .object({ usage: z.int(), limit: z.int().meta({ description: 'Negative where there is none.' }) })
    .meta(description === undefined ? {} : { description })
    .optional();
const Usage = z
  .object({
    usage: z.object({
      image_size_total: ofLimit(MIB),
      image_stage_total: ofLimit(MIB),
      image_count_total: ofLimit(),
      image_count_uploading: ofLimit(),
    }),
  })
  .meta({ id: 'Usage' });

export const describeUsage: DescribeRoutes = () => [
  {
    method: 'GET',
    path: '/v2/info/usage',
    tag: 'Discovery',
    summary: 'How much of its limits the caller’s project uses',
    description: 'Empty where the project has no limits.',
    answers: { 200: { description: 'Usage and limit of each resource.', content: json(Usage) } },
  },
];

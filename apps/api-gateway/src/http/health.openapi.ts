import { z } from 'zod';
import { type Content, type DescribeRoutes, empty, json } from '../openapi/route-description.js';

const tag = 'Health';

const Healthcheck = z
  .object({ detailed: z.boolean(), reasons: z.array(z.string()) })
  .meta({ id: 'Healthcheck' });
const Liveness = z.object({ status: z.literal('ok') }).meta({ id: 'Liveness' });
const Readiness = z
  .object({
    status: z.enum(['ready', 'not ready']),
    checks: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Readiness' });

const healthcheckContent: Content = {
  ...json(Healthcheck),
  'text/plain': 'text',
  'text/html': 'text',
};

export const describeHealth: DescribeRoutes = () => [
  {
    method: 'GET',
    path: '/healthcheck',
    tag,
    summary: 'Whether this node takes requests',
    description:
      'Answers 503 while the file `http.healthcheck_disable_file` exists. Other methods answer alike.',
    answers: {
      200: { description: 'It does.', content: healthcheckContent },
      503: { description: 'It is being drained.', content: healthcheckContent },
    },
    isOpen: true,
  },
  {
    method: 'HEAD',
    path: '/healthcheck',
    tag,
    summary: 'Whether this node takes requests, without a body',
    answers: { 204: empty('It does.'), 503: empty('It is being drained.') },
    isOpen: true,
  },
  {
    method: 'GET',
    path: '/livez',
    tag,
    summary: 'Whether the process lives',
    answers: { 200: { description: 'It does.', content: json(Liveness) } },
    isOpen: true,
    isAddition: true,
  },
  {
    method: 'GET',
    path: '/readyz',
    tag,
    summary: 'Whether the process reaches what it needs',
    answers: {
      200: { description: 'Everything.', content: json(Readiness) },
      503: { description: 'Something is missing.', content: json(Readiness) },
    },
    isOpen: true,
    isAddition: true,
  },
  {
    method: 'GET',
    path: '/metrics',
    tag,
    summary: 'Metrics in the format of Prometheus',
    answers: { 200: { description: 'The metrics.', content: { 'text/plain': 'text' } } },
    isOpen: true,
    isAddition: true,
  },
];

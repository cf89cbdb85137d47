import { z } from 'zod';
import { type DescribeRoutes, json } from '../openapi/route-description.js';

/** A schema as Glance publishes it: a draft of JSON Schema with a name and links. */
export const PublishedSchema = z
  .looseObject({
    name: z.string(),
    properties: z.record(z.string(), z.looseObject({})),
    additionalProperties: z.looseObject({}).optional(),
    required: z.array(z.string()).optional(),
    links: z.array(z.object({ rel: z.string(), href: z.string() })).optional(),
  })
  .meta({ id: 'PublishedSchema' });

const of = {
  image: 'an image',
  images: 'a list of images',
  member: 'a member',
  members: 'a list of members',
};

export const describeSchemas: DescribeRoutes = () =>
  Object.entries(of).map(([name, what]) => ({
    method: 'GET' as const,
    path: `/v2/schemas/${name}` as const,
    tag: 'Schemas',
    summary: `The schema of ${what}`,
    answers: { 200: { description: 'The schema.', content: json(PublishedSchema) } },
    errors: { 400: 'The request has a body.' },
  }));

import { z } from 'zod';
import { type ImageSchema, isNamedProperty } from './images.schema.js';

/** Shown only where there is something to show. */
const OPTIONAL = { direct_url: true, locations: true } as const;

const LINKS = { first: z.string(), schema: z.string() };

/** Every image is shown with these; custom properties are strings. */
export function imageDocument(schema: ImageSchema) {
  const always = Object.entries(schema.shape)
    .filter(([key, value]) => !Object.hasOwn(OPTIONAL, key) && !isNamedProperty(value))
    .map(([key]) => key);
  return schema
    .extend({
      stores: z
        .string()
        .optional()
        .meta({ description: 'The stores that hold the data, separated by commas' }),
    })
    .required(Object.fromEntries(always.map((key) => [key, true])) as { id: true })
    .meta({ id: 'Image' });
}

/** A page of the list. */
export const imagePage = (schema: ImageSchema) =>
  z
    .object({
      images: z.array(imageDocument(schema)),
      ...LINKS,
      next: z.string().optional().meta({ description: 'The next page, where there may be one.' }),
      count: z.int().optional().meta({
        description: 'With `count=true`: how many images match, on all pages together.',
        'x-glimpse-addition': true,
      }),
      count_is_limit: z.literal(true).optional().meta({
        description: 'Counting ended at `count`: there are more.',
        'x-glimpse-addition': true,
      }),
    })
    .meta({ id: 'Images' });

import {
  equalityFilterColumns,
  rangeFilterColumns,
  textFilterColumns,
  visibilities,
} from '@glimpse/contracts';
import { z } from 'zod';
import type { RouteParameter } from '../openapi/route-description.js';

const query = (name: string, description: string, schema?: z.ZodType): RouteParameter => ({
  in: 'query',
  name,
  description,
  ...(schema === undefined ? {} : { schema }),
});

const TEXT =
  '`value` or `eq:value` exactly, `in:a,b,"c,d"` one of several, `like:value` beginning with the value (Glance has no `like:`).';

/** The parameters of a list of images. */
export const listParameters: readonly RouteParameter[] = [
  query('limit', 'Images on the page at most.', z.int().min(0)),
  query('marker', 'The id of the last image of the page before.'),
  query('sort', '`key:direction,key:direction`; without a direction descending.'),
  query('sort_key', 'The older way to sort.', z.array(z.string())),
  query('sort_dir', 'One direction for all keys, or one for each.', z.array(z.enum(['asc', 'desc']))),
  ...textFilterColumns.map((name) => query(name, TEXT)),
  ...equalityFilterColumns.map((name) => query(name, 'Exactly this.')),
  ...rangeFilterColumns.flatMap((name) => [
    query(`${name}_min`, `At least this ${name}.`, z.int()),
    query(`${name}_max`, `At most this ${name}.`, z.int()),
  ]),
  ...['created_at', 'updated_at'].map((name) =>
    query(name, 'ISO 8601, after one of `gt:`, `gte:`, `lt:`, `lte:`, `eq:`, `neq:` or nothing.'),
  ),
  query(
    'visibility',
    'Only these; `all` with the community images of others.',
    z.enum([...visibilities, 'all']),
  ),
  query(
    'member_status',
    'Of the images that are shared with the caller.',
    z.enum(['pending', 'accepted', 'rejected', 'all']),
  ),
  query('os_hidden', 'Hidden images, in place of the others.', z.enum(['true', 'false'])),
  query('protected', 'Only images that are, or are not.', z.enum(['true', 'false'])),
  query('tag', 'The image has all of them.', z.array(z.string())),
  {
    ...query(
      'count',
      'Says how many images match, on all pages together. With another value it is a custom property.',
      z.literal('true'),
    ),
    isAddition: true,
  },
];

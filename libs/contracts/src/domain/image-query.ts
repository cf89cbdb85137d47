import { z } from 'zod';
import { Visibility } from './image.js';

export const sortKeys = [
  'name',
  'status',
  'container_format',
  'disk_format',
  'size',
  'id',
  'created_at',
  'updated_at',
] as const;
export const SortKey = z.enum(sortKeys);
export type SortKey = z.output<typeof SortKey>;

/** Columns with exact or set filters. */
export const textFilterColumns = ['name', 'id', 'status', 'container_format', 'disk_format'] as const;
/** Columns with exact equality only. */
export const equalityFilterColumns = [
  'owner',
  'checksum',
  'os_hash_algo',
  'os_hash_value',
  'min_ram',
  'min_disk',
  'size',
  'virtual_size',
] as const;
/** Columns with `_min` and `_max` filters. */
export const rangeFilterColumns = ['size', 'virtual_size', 'min_ram', 'min_disk'] as const;

const TimeComparison = z.object({
  column: z.enum(['created_at', 'updated_at']),
  operator: z.enum(['gt', 'gte', 'lt', 'lte', 'eq', 'neq']),
  /** ISO 8601, UTC, whole seconds. */
  value: z.string(),
});

/** A list request, parsed from the query string by the gateway (spec/api-images.md section 5). */
export const ImageQuery = z.object({
  /** 0 gives an empty list. */
  limit: z.int().min(0),
  marker: z.string().optional(),
  /** In the order of importance; the registry appends created_at and id as tie breakers. */
  sort: z.array(z.object({ key: SortKey, direction: z.enum(['asc', 'desc']) })),
  /** Direction of the appended tie breakers. */
  tieDirection: z.enum(['asc', 'desc']),
  /** The column holds one of the values. */
  anyOf: z.array(
    z.object({
      column: z.enum([...textFilterColumns, ...equalityFilterColumns]),
      values: z.array(z.string()),
    }),
  ),
  /** The column begins with the text, case aside. */
  prefixes: z.array(z.object({ column: z.enum(textFilterColumns), prefix: z.string() })).optional(),
  ranges: z.array(
    z.object({
      column: z.enum(rangeFilterColumns),
      min: z.int().optional(),
      max: z.int().optional(),
    }),
  ),
  times: z.array(TimeComparison),
  visibility: z.union([Visibility, z.literal('all'), z.literal('')]).optional(),
  memberStatus: z.enum(['pending', 'accepted', 'rejected', 'all']),
  osHidden: z.boolean(),
  protected: z.boolean().optional(),
  /** The image carries all of them. */
  tags: z.array(z.string()),
  /** The image has all of these custom properties with these values. */
  properties: z.record(z.string(), z.string()),
  /** Whether to count the images on all pages. */
  isCounted: z.boolean().optional(),
});
export type ImageQuery = z.output<typeof ImageQuery>;

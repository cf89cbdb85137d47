import { z } from 'zod';
import { Properties, Visibility } from './image.js';

/**
 * What a caller asks for when creating an image. Shapes and lengths were checked by the gateway against the
 * published schema; the registry applies the rules that depend on the caller, on quotas and on what exists.
 */
export const NewImage = z.object({
  id: z.string().optional(),
  name: z.string().nullable().optional(),
  visibility: Visibility.optional(),
  protected: z.boolean().optional(),
  osHidden: z.boolean().optional(),
  owner: z.string().nullable().optional(),
  diskFormat: z.string().nullable().optional(),
  containerFormat: z.string().nullable().optional(),
  minRam: z.int().optional(),
  minDisk: z.int().optional(),
  /** As sent, duplicates included: the quota counts them. */
  tags: z.array(z.string()).optional(),
  properties: Properties.optional(),
});
export type NewImage = z.output<typeof NewImage>;

/** The attributes of an image that a PATCH may set, by their name on the wire. */
const writableAttributes = [
  'name',
  'visibility',
  'protected',
  'os_hidden',
  'owner',
  'disk_format',
  'container_format',
  'min_ram',
  'min_disk',
  'tags',
] as const;
export const WritableAttribute = z.enum(writableAttributes);
export type WritableAttribute = z.output<typeof WritableAttribute>;

/**
 * One operation of a PATCH, in either dialect: `set` is v2.1's `add` (sets, whatever was there), `add` is v2.0's
 * (refused when present), `replace` and `remove` want the target to exist. Values were checked by the gateway.
 */
export const ImageChange = z.discriminatedUnion('target', [
  z.object({
    target: z.literal('attribute'),
    op: z.enum(['set', 'add', 'replace', 'remove']),
    name: WritableAttribute,
    value: z.unknown().optional(),
  }),
  z.object({
    target: z.literal('property'),
    op: z.enum(['set', 'add', 'replace', 'remove']),
    name: z.string(),
    value: z.string().nullable().optional(),
  }),
  /** The old way to edit locations, behind `show_multiple_locations`. */
  z.object({
    target: z.literal('locations'),
    op: z.enum(['set', 'add', 'replace', 'remove']),
    /** `-`, an index, or null for the whole list. */
    position: z.string().nullable(),
    value: z.unknown().optional(),
  }),
]);
export type ImageChange = z.output<typeof ImageChange>;

import type { Config } from '@glimpse/config';
import { ServiceError, Visibility } from '@glimpse/contracts';
import { z } from 'zod';
import { isStorable } from './storable-text.js';

const MAX_TEXT = 255;
const MAX_NUMBER = 2 ** 31 - 1;
/** What a TEXT column holds, in bytes. */
const MAX_VALUE_BYTES = 65_535;

const NOT_STORABLE = 'Only characters of the Basic Multilingual Plane are supported';

const text = z.string().max(MAX_TEXT).refine(isStorable, NOT_STORABLE);
const megabytes = z.int().min(0).max(MAX_NUMBER);
const tag = text;
const propertyName = text;
const propertyValue = z
  .string()
  .refine(isStorable, NOT_STORABLE)
  .refine((value) => Buffer.byteLength(value) <= MAX_VALUE_BYTES, `Longer than ${MAX_VALUE_BYTES} bytes`)
  .nullable();

/** The values that attributes of an image may have, by their name on the wire. */
export const attributeSchemas = (formats: Pick<Config['images'], 'diskFormats' | 'containerFormats'>) => ({
  name: text.nullable(),
  visibility: Visibility,
  protected: z.boolean(),
  os_hidden: z.boolean(),
  owner: text.nullable(),
  disk_format: z.enum(formats.diskFormats).nullable(),
  container_format: z.enum(formats.containerFormats).nullable(),
  min_ram: megabytes,
  min_disk: megabytes,
  tags: z.array(tag),
});
export type AttributeSchemas = ReturnType<typeof attributeSchemas>;

/** `value` when it is one that `schema` knows; else IMAGE_INVALID, naming `what`. */
export function checkValue<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ServiceError('IMAGE_INVALID', `Invalid value for ${what}: ${parsed.error.issues[0]?.message}`);
}

export const checkTag = (value: string): string => checkValue('tags', tag, value);

const READ_ONLY = new Set([
  'created_at',
  'updated_at',
  'status',
  'checksum',
  'size',
  'virtual_size',
  'direct_url',
  'self',
  'file',
  'schema',
  'id',
  'os_hash_algo',
  'os_hash_value',
]);
const RESERVED = new Set(['location', 'locations', 'deleted', 'deleted_at']);

/** Whether Glance keeps the property for itself; such properties don't count towards the quota. */
export const isInternalProperty = (name: string): boolean => name.startsWith('os_glance');

/** Throws PROPERTY_FORBIDDEN or IMAGE_INVALID where a client must not have a property of that name. */
export function checkPropertyName(name: string): void {
  if (READ_ONLY.has(name)) throw new ServiceError('PROPERTY_FORBIDDEN', `Attribute '${name}' is read-only.`);
  if (RESERVED.has(name) || isInternalProperty(name))
    throw new ServiceError('PROPERTY_FORBIDDEN', `Attribute '${name}' is reserved.`);
  checkValue('the name of a property', propertyName, name);
}

export const checkPropertyValue = (name: string, value: string | null): string | null =>
  checkValue(`property ${name}`, propertyValue, value);

/** Throws QUOTA_EXCEEDED; a negative quota is none. */
export function checkQuota(what: 'properties' | 'tags', attempted: number, quota: number): void {
  if (quota >= 0 && attempted > quota)
    throw new ServiceError(
      'QUOTA_EXCEEDED',
      `The limit has been exceeded on the number of allowed image ${what}. Attempted: ${attempted}, Maximum: ${quota}`,
    );
}

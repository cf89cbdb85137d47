import type { Config } from '@glimpse/config';
import {
  MAX_PROPERTY_VALUE_BYTES,
  MAX_TEXT_LENGTH,
  ServiceError,
  Visibility,
  isReadOnlyAttribute,
  isReservedProperty,
  isStorableText,
} from '@glimpse/contracts';
import { z } from 'zod';

const MAX_NUMBER = 2 ** 31 - 1;

const NOT_STORABLE = 'Only characters of the Basic Multilingual Plane but U+0000 are supported';

const text = z.string().max(MAX_TEXT_LENGTH).refine(isStorableText, NOT_STORABLE);
const megabytes = z.int().min(0).max(MAX_NUMBER);
const tag = text;
const propertyName = text;
const propertyValue = z
  .string()
  .refine(isStorableText, NOT_STORABLE)
  .refine(
    (value) => Buffer.byteLength(value) <= MAX_PROPERTY_VALUE_BYTES,
    `Longer than ${MAX_PROPERTY_VALUE_BYTES} bytes`,
  )
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

/** Throws PROPERTY_FORBIDDEN or IMAGE_INVALID where a client must not have a property of that name. */
export function checkPropertyName(name: string): void {
  if (isReadOnlyAttribute(name))
    throw new ServiceError('PROPERTY_FORBIDDEN', `Attribute '${name}' is read-only.`);
  if (isReservedProperty(name) || name === 'locations')
    throw new ServiceError('PROPERTY_FORBIDDEN', `Attribute '${name}' is reserved.`);
  checkValue('the name of a property', propertyName, name);
}

export const protectedProperty = (name: string) =>
  new ServiceError('PROPERTY_FORBIDDEN', `Property '${name}' is protected.`);

export const checkPropertyValue = (name: string, value: string | null): string | null =>
  checkValue(`property ${name}`, propertyValue, value);

/** Throws QUOTA_EXCEEDED; a negative quota is none. */
export function checkQuota(
  what: 'properties' | 'tags' | 'members' | 'locations',
  attempted: number,
  quota: number,
): void {
  if (quota >= 0 && attempted > quota)
    throw new ServiceError(
      'QUOTA_EXCEEDED',
      `The limit has been exceeded on the number of allowed image ${what}. Attempted: ${attempted}, Maximum: ${quota}`,
    );
}

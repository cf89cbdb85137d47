import { ServiceError } from '@glimpse/contracts';
import { checkStorableText } from '../http/text.js';

/** Attributes that no client sets, whatever the request. */
const READ_ONLY_ON_UPDATE = new Set([
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

const RESERVED = new Set(['location', 'deleted', 'deleted_at']);

const MAX_NAME_LENGTH = 255;
/** The TEXT column of the database. */
const MAX_VALUE_BYTES = 65_535;

export const readOnlyError = (key: string) =>
  new ServiceError('PROPERTY_FORBIDDEN', `Attribute '${key}' is read-only.`);

export const reservedError = (key: string) =>
  new ServiceError('PROPERTY_FORBIDDEN', `Attribute '${key}' is reserved.`);

export const isReserved = (key: string): boolean => RESERVED.has(key) || key.startsWith('os_glance');
export const isReadOnlyOnUpdate = (key: string): boolean => READ_ONLY_ON_UPDATE.has(key);

/** Refuses the name of a custom property that can't be stored. */
export function checkPropertyName(name: string): void {
  if (name.length > MAX_NAME_LENGTH)
    throw new ServiceError(
      'REQUEST_INVALID',
      `Custom property '${name.slice(0, 32)}…' is longer than ${MAX_NAME_LENGTH} characters.`,
    );
  // Objects with such a key don't survive everywhere they are passed through.
  if (name === '__proto__')
    throw new ServiceError('REQUEST_INVALID', "'__proto__' can't be the name of a custom property.");
  checkStorableText('The name of a custom property', name);
}

/** Refuses the value of a custom property that can't be stored. */
export function checkPropertyValue(name: string, value: string | null): void {
  if (value === null) return;
  if (Buffer.byteLength(value) > MAX_VALUE_BYTES)
    throw new ServiceError(
      'REQUEST_INVALID',
      `The value of custom property '${name}' is longer than ${MAX_VALUE_BYTES} bytes.`,
    );
  checkStorableText(`The value of custom property '${name}'`, value);
}

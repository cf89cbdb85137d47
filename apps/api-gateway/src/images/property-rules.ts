import { MAX_PROPERTY_VALUE_BYTES, MAX_TEXT_LENGTH, ServiceError } from '@glimpse/contracts';
import { checkStorableText } from '../http/text.js';

export const readOnlyError = (key: string) =>
  new ServiceError('PROPERTY_FORBIDDEN', `Attribute '${key}' is read-only.`);

export const reservedError = (key: string) =>
  new ServiceError('PROPERTY_FORBIDDEN', `Attribute '${key}' is reserved.`);

/** Refuses the name of a custom property that can't be stored. */
export function checkPropertyName(name: string): void {
  if (name.length > MAX_TEXT_LENGTH)
    throw new ServiceError(
      'REQUEST_INVALID',
      `Custom property '${name.slice(0, 32)}…' is longer than ${MAX_TEXT_LENGTH} characters.`,
    );
  // Objects with such a key don't survive everywhere they are passed through.
  if (name === '__proto__')
    throw new ServiceError('REQUEST_INVALID', "'__proto__' can't be the name of a custom property.");
  checkStorableText('The name of a custom property', name);
}

/** Refuses the value of a custom property that can't be stored. */
export function checkPropertyValue(name: string, value: string | null): void {
  if (value === null) return;
  if (Buffer.byteLength(value) > MAX_PROPERTY_VALUE_BYTES)
    throw new ServiceError(
      'REQUEST_INVALID',
      `The value of custom property '${name}' is longer than ${MAX_PROPERTY_VALUE_BYTES} bytes.`,
    );
  checkStorableText(`The value of custom property '${name}'`, value);
}

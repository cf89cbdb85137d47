import {
  MAX_METADEF_NAME_LENGTH,
  type MetadefProperties,
  ServiceError,
  isStorableText,
  toStoredProperty,
} from '@glimpse/contracts';
import { fromDatabaseTime } from '../timestamps.js';

const MAX_TEXT_BYTES = 65_535;

/** Whether something can have that name; the database need not be asked for others. */
export const canBeName = (text: string): boolean =>
  text.length <= MAX_METADEF_NAME_LENGTH && isStorableText(text);

/** `text` when a text column can hold it, else REQUEST_INVALID; `what` names it. */
export function fittingText(what: string, text: string): string {
  if (Buffer.byteLength(text) <= MAX_TEXT_BYTES) return text;
  throw new ServiceError('REQUEST_INVALID', `${what} takes more than ${MAX_TEXT_BYTES} bytes.`);
}

/** The object that a column holds as JSON; empty where it holds something else. */
export function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  // Names are the users': without a prototype `__proto__` is one like any other.
  return Object.assign(
    Object.create(null) as Record<string, unknown>,
    typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {},
  );
}

/** The properties that a column holds by their names. */
export function parseProperties(text: string): MetadefProperties {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null;
  const properties = Object.create(null) as MetadefProperties;
  for (const [name, value] of Object.entries(parseObject(text)))
    // Glance's loader writes what a file says, and turns it when it is read.
    if (isObject(value)) properties[name] = toStoredProperty(value);
  return properties;
}

/** When a row was made and last changed. */
export const timesOf = (row: { created_at: string; updated_at: string | null }) => ({
  createdAt: fromDatabaseTime(row.created_at),
  updatedAt: fromDatabaseTime(row.updated_at ?? row.created_at),
});

import type { z } from 'zod';
import { ServiceError } from '../../errors/service-error.js';
import { isStorableText } from '../stored-text.js';

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

/** Refuses texts, names of members included, that the database can't hold or that no object can have. */
function checkTexts(value: unknown): void {
  if (typeof value === 'string') {
    if (!isStorableText(value))
      throw invalid('Only characters of the Basic Multilingual Plane but U+0000 are supported.');
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    checkTexts(key);
    if (key === '__proto__') throw invalid('Nothing can be named __proto__.');
    checkTexts(member);
  }
}

/** `value` as a document of `schema`, which `name` names. Throws REQUEST_INVALID with the first thing that is wrong. */
export function checkMetadefDocument<S extends z.ZodType>(
  name: string,
  schema: S,
  value: unknown,
): z.output<S> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('A JSON object is expected.');
  checkTexts(value);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.join('.') ?? '';
  throw invalid(
    `Provided object does not match schema '${name}': ${path === '' ? '' : `${path}: `}${issue?.message}`,
  );
}

import { ServiceError } from '@glimpse/contracts';

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

/** The segments of a JSON pointer, by Glance's rules: blanks around them don't count, `/` is the empty name. */
export function parsePointer(pointer: unknown): string[] {
  if (typeof pointer !== 'string') throw invalid('A path must be a string.');
  if (!pointer.startsWith('/')) throw invalid(`Pointer \`${pointer}\` does not start with "/".`);
  const rest = pointer.slice(1);
  if (/\/\s*\//.test(rest) || /^\s*\//.test(rest))
    throw invalid(`Pointer \`${pointer}\` contains adjacent "/".`);
  if (rest.trimEnd().endsWith('/')) throw invalid(`Pointer \`${pointer}\` ends with "/".`);
  if (/~(?![01])/.test(pointer))
    throw invalid(`Pointer \`${pointer}\` contains "~" not part of a recognized escape sequence.`);
  return rest.split('/').map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~').trim());
}

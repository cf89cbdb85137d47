import { ServiceError } from '@glimpse/contracts';

/** What may be the name of a file: no separator, not hidden, short enough for the temporary name. */
const SAFE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;
/** A file that is being written, or whose writer died: `.<key>.<upload>.part`. Uploads have no dot in their ids. */
const TEMPORARY = /^\.(?<key>[A-Za-z0-9_][A-Za-z0-9._-]*)\.(?<uploadId>[A-Za-z0-9_][A-Za-z0-9_-]*)\.part$/;

/** `text`, where it may be the name of a file. Throws `STORE_LOCATION_INVALID`. */
export function toName(text: string): string {
  if (SAFE_NAME.test(text)) return text;
  throw new ServiceError('STORE_LOCATION_INVALID', 'This id cannot be the name of a file');
}

/** What the upload writes the key's data to until it is whole. */
export const temporaryName = (key: string, uploadId: string): string =>
  `.${toName(key)}.${toName(uploadId)}.part`;

/** The key under which a file was written, and by which upload where it is not whole. */
export function keyOfName(name: string): { readonly key: string | null; readonly partialOf: string | null } {
  const { key, uploadId } = TEMPORARY.exec(name)?.groups ?? {};
  if (key !== undefined && uploadId !== undefined) return { key, partialOf: uploadId };
  return { key: SAFE_NAME.test(name) ? name : null, partialOf: null };
}

import { withoutCredentials } from '@glimpse/contracts';

const IMAGE_ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

/**
 * What a URL comes to for the store that holds the data: stores pass over credentials, over whether the scheme says http or
 * https, and over case in the names of hosts. Two URLs of the same data have the same.
 */
export function dataNameOf(url: string): string {
  const plain = withoutCredentials(url);
  if (/^s3(?:\+https?)?:\/\//i.test(plain)) return plain.replace(/^[^:]*/, 's3').toLowerCase();
  return plain.replace(/^filesystem:/i, 'file:');
}

/** The images whose ids are in the last part of the URL's path: data is named after the image that it was written for. */
export function imageIdsIn(url: string): string[] {
  const ids = url.slice(url.lastIndexOf('/') + 1).match(IMAGE_ID) ?? [];
  return ids.flatMap((id) => [id, id.toLowerCase()]);
}

import { ServiceError } from '@glimpse/contracts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Decodes `+` and the escapes of a form value; an escape that is none stays as it is. Bytes must be UTF-8. */
function decodeFormValue(text: string): string {
  const withBlanks = text.replaceAll('+', ' ');
  if (!/[%\u0080-\u00ff]/.test(withBlanks)) return withBlanks;
  // Node hands bytes above 127 on as Latin-1.
  const bytes = withBlanks.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch (error) {
    throw new ServiceError('REQUEST_INVALID', 'The query string is not UTF-8.', { cause: error });
  }
}

export type QueryPair = readonly [key: string, value: string];

/** The pairs of a query string in their order, repeated keys included. */
export function parseQueryString(url: string): QueryPair[] {
  const at = url.indexOf('?');
  if (at === -1) return [];
  return url
    .slice(at + 1)
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      return equals === -1
        ? ([decodeFormValue(part), ''] as const)
        : ([decodeFormValue(part.slice(0, equals)), decodeFormValue(part.slice(equals + 1))] as const);
    });
}

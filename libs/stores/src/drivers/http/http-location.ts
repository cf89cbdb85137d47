import { ServiceError, isServiceError } from '@glimpse/contracts';

/** A location of the http store, taken apart: where the request goes and what proves who asks. */
export interface HttpTarget {
  readonly url: URL;
  /** The Authorization header for credentials that the location holds. */
  readonly authorization?: string;
}

const invalid = () => new ServiceError('STORE_LOCATION_INVALID', 'The location is not a usable http(s) URL');

/** Takes a URL apart; its credentials are no part of the answer's `url`. Throws `STORE_LOCATION_INVALID`. */
export function parseHttpTarget(uri: string): HttpTarget {
  // The parser would find a host in http:///path.
  const url = /^https?:\/\/[^/]/i.test(uri) ? URL.parse(uri) : null;
  if (url === null) throw invalid();
  const { username, password } = url;
  if (username === '' && password === '') return { url };
  url.username = '';
  url.password = '';
  const credentials = `${decode(username)}:${decode(password)}`;
  return { url, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/** Whether {@link parseHttpTarget} takes it. */
export function isHttpTarget(uri: string): boolean {
  try {
    parseHttpTarget(uri);
    return true;
  } catch (error) {
    if (isServiceError(error, 'STORE_LOCATION_INVALID')) return false;
    throw error;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid();
  }
}

import type { Readable } from 'node:stream';
import { type ErrorCode, ServiceError, isServiceError } from '@glimpse/contracts';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { type HttpTarget, parseHttpTarget } from './http-location.js';
import type { HttpOptions } from './http.options.js';
import { checkHost, lookupPublic } from './public-addresses.js';

const MAX_REDIRECTS = 5;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;

/** A request whose answer was neither an error nor a redirect. The receiver reads or destroys the body. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Readable;
}

interface HttpRequest {
  readonly method: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

function codeOf(status: number): ErrorCode {
  if (status === 404 || status === 410) return 'STORE_OBJECT_NOT_FOUND';
  if (status === 401 || status === 403) return 'STORE_FORBIDDEN';
  return status === 429 || status >= 500 ? 'STORE_UNAVAILABLE' : 'STORE_LOCATION_INVALID';
}

/** The dispatcher for each scheme: direct, or through its proxy. */
function makeDispatcher(options: HttpOptions, ca: string | undefined, proxy: string | undefined): Dispatcher {
  const tls = ca === undefined ? { rejectUnauthorized: !options.isInsecure } : { ca };
  const lookup = options.allowsPrivate ? {} : { lookup: lookupPublic };
  // Without keep-alive (pipelining 0): next to an image a connection costs nothing, and none is used that the server
  // is just closing.
  const common = { headersTimeout: IDLE_TIMEOUT_MS, bodyTimeout: IDLE_TIMEOUT_MS, pipelining: 0 };
  if (proxy === undefined)
    return new Agent({ ...common, connect: { ...tls, ...lookup, timeout: CONNECT_TIMEOUT_MS } });
  const uri = proxy.includes('://') ? proxy : `http://${proxy}`;
  return new ProxyAgent({ ...common, uri, requestTls: { ...tls, timeout: CONNECT_TIMEOUT_MS } });
}

/** Sends the requests of the http store and follows redirects as Glance does: 301 and 302, five at most. */
export class HttpClient {
  private readonly dispatchers: Readonly<Record<'http' | 'https', Dispatcher>>;

  /** `ca` holds the authorities in PEM that servers are checked against. */
  constructor(
    private readonly options: HttpOptions,
    ca: string | undefined,
  ) {
    this.dispatchers = {
      http: makeDispatcher(options, ca, options.proxies.http),
      https: makeDispatcher(options, ca, options.proxies.https),
    };
  }

  /** Throws a `STORE_…` code for whatever is not an answer with data. Messages name no URL: it may hold secrets. */
  async send(uri: string, request: HttpRequest): Promise<HttpResponse> {
    let target = parseHttpTarget(uri);
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const response = await this.request(target, request);
      const { statusCode: status, headers, body } = response;
      // Who reads the body learns of its failure. Without a listener one that comes before ends the process.
      body.on('error', () => undefined);
      if (status === 200 || status === 206) return { status, headers, body };
      body.destroy();
      if (status !== 301 && status !== 302)
        throw new ServiceError(codeOf(status), `The server of the image data answered ${status}`);
      target = nextTarget(target, headers['location']);
    }
    throw new ServiceError('STORE_LOCATION_INVALID', 'The location redirects too often');
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.dispatchers).map((dispatcher) => dispatcher.destroy()));
  }

  private async request(target: HttpTarget, { method, headers, signal }: HttpRequest) {
    const { url, authorization } = target;
    if (!this.options.allowsPrivate) checkHost(url.hostname);
    try {
      return await this.dispatchers[url.protocol === 'https:' ? 'https' : 'http'].request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers: {
          ...headers,
          // Offsets and sizes are those of the object, not of a compressed form of it.
          'accept-encoding': 'identity',
          ...(authorization === undefined ? {} : { authorization }),
        },
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      if (isServiceError(error)) throw error;
      throw new ServiceError('STORE_UNAVAILABLE', 'The server of the image data cannot be reached', {
        cause: error,
      });
    }
  }
}

/** Where a redirect leads. Credentials go along only within the same origin. */
function nextTarget(from: HttpTarget, location: string | string[] | undefined): HttpTarget {
  const url = typeof location === 'string' ? URL.parse(location, from.url.href) : null;
  if (url === null) throw new ServiceError('STORE_LOCATION_INVALID', 'The location redirects to nowhere');
  const next = parseHttpTarget(url.href);
  const keepsCredentials = next.authorization === undefined && next.url.origin === from.url.origin;
  return keepsCredentials && from.authorization !== undefined
    ? { ...next, authorization: from.authorization }
    : next;
}

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '@glimpse/config';

type CorsOptions = Config['cors'];

/** What a page may always send; Glance's filter has the same list. */
const SIMPLE_HEADERS = [
  'accept',
  'accept-language',
  'cache-control',
  'content-language',
  'content-type',
  'expires',
  'last-modified',
  'pragma',
];

function preflightHeaders(
  request: FastifyRequest,
  permittedHeaders: ReadonlySet<string>,
  options: CorsOptions,
): Record<string, string> | null {
  const method = request.headers['access-control-request-method'];
  if (method === undefined || !options.allowMethods.includes(method)) return null;
  const headers = (request.headers['access-control-request-headers'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (!headers.every((name) => permittedHeaders.has(name.toLowerCase()))) return null;
  return {
    'access-control-allow-methods': method,
    ...(headers.length === 0 ? {} : { 'access-control-allow-headers': headers.join(', ') }),
    ...(options.maxAgeSeconds === 0 ? {} : { 'access-control-max-age': String(options.maxAgeSeconds) }),
  };
}

/**
 * Tells browsers which pages may use the API (oslo.middleware's CORS filter): a request of any other origin is served
 * without a word of it. Runs before anything can refuse the request, so that pages can read refusals too.
 */
export function corsHook(options: CorsOptions) {
  const isForAll = options.allowedOrigins.includes('*');
  const origins = new Set(options.allowedOrigins);
  const permittedHeaders = new Set(
    [...SIMPLE_HEADERS, ...options.allowHeaders].map((name) => name.toLowerCase()),
  );
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const { origin } = request.headers;
    // Also for those without an origin, or a cache would give their answers to pages.
    if (origins.size > (isForAll ? 1 : 0)) reply.header('vary', 'Origin');
    const isNamed = origin !== undefined && origins.has(origin);
    if (origin !== undefined && (isNamed || isForAll)) {
      const ofKind =
        request.method === 'OPTIONS'
          ? preflightHeaders(request, permittedHeaders, options)
          : { 'access-control-expose-headers': options.exposeHeaders.join(', ') };
      if (ofKind !== null) {
        reply.headers({ 'access-control-allow-origin': isNamed ? origin : '*', ...ofKind });
        // Browsers refuse credentials where every origin is allowed.
        if (isNamed && options.allowCredentials) reply.header('access-control-allow-credentials', 'true');
      }
    }
    done();
  };
}

const VERSION_TYPE = 'application/vnd.openstack.images-';
const OPERATIONS = new Set(['/livez', '/readyz', '/metrics']);
const PLAIN = /^\/v2\/[\w.~\-/]*[\w.~-]$/;

/** No route has this path: what is sent here is a 404 under the version. */
const NOWHERE = '/v2/';
/** The versions document with 300. */
const CHOICES = '/';

/** In the paths of metadata definitions an escaped slash is part of a name. */
const NAMED = /^(\/v2(\.\d+)?)?\/metadefs\//;

/** The escapes of letters, digits, `-`, `.`, `_` and `~`, which mean the same without (RFC 3986 section 2.3). */
const NEEDLESS_ESCAPE = /%(2d|2e|3\d|4[1-9a-f]|5[\daf]|6[1-9a-f]|7[\dae])/gi;

/**
 * Bytes above 127 and stray `%` become escapes, an escaped slash becomes one: as a WSGI server sees paths. What need not
 * be escaped is not: whoever looks at a path sees the one that is routed.
 */
function normalizePath(path: string): string {
  const escaped = path
    .replace(/[\u0080-\u00ff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`)
    .replace(/%(?![0-9a-f]{2})/gi, '%25')
    .replace(NEEDLESS_ESCAPE, (escape) => decodeURIComponent(escape));
  return (NAMED.test(escaped) ? escaped : escaped.replace(/%2f/gi, '/')).replace(/\/{2,}/g, '/');
}

function splitUrl(url: string): { path: string; query: string } {
  const withoutOrigin = url.replace(/^https?:\/\/[^/?]*/i, '');
  const at = withoutOrigin.indexOf('?');
  const path = at === -1 ? withoutOrigin : withoutOrigin.slice(0, at);
  return { path: normalizePath(path), query: at === -1 ? '' : withoutOrigin.slice(at) };
}

/** The path of a URL as it was sent, in the one form in which it is routed (but for its version). */
export const pathOf = (url: string): string => splitUrl(url).path;

const isUnder = (path: string, prefix: string) => path === prefix || path.startsWith(`${prefix}/`);

function withoutTrailingSlash(path: string): string {
  return path.endsWith('/') ? NOWHERE : path;
}

/**
 * Where a request is routed: every accepted version label is `/v2`, everything else than those and the health routes
 * is the versions document. A media type `application/vnd.openstack.images-<label>` stands for the label in the path.
 */
export function routeUrl(url: string, accept: string | undefined, labels: ReadonlySet<string>): string {
  const label = accept?.startsWith(VERSION_TYPE) ? accept.slice(VERSION_TYPE.length) : undefined;
  if (label === undefined && PLAIN.test(url) && !url.includes('//')) return url;

  const { path, query } = splitUrl(url);
  if (isUnder(path, '/versions')) return '/versions';
  if (isUnder(path, '/healthcheck')) return '/healthcheck';
  if (OPERATIONS.has(path)) return path;
  if (label !== undefined)
    return labels.has(label) ? `${withoutTrailingSlash(`/v2${path}`)}${query}` : CHOICES;

  const [, first = '', rest = ''] = /^\/([^/]*)(.*)$/s.exec(path) ?? [];
  if (!labels.has(first)) return CHOICES;
  return `${withoutTrailingSlash(`/v2${rest}`)}${query}`;
}

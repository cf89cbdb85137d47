/** Members that hold credentials. */
const SECRET_MEMBER = /token|passw|secret|credential|^auth$/i;
/** Of the context of oslo.messaging, where anything may be, what says who asks; the rest nobody reads. */
const CONTEXT_MEMBER = /^_context_(?!(?:project_id|tenant|user_id|user|roles)$)/;
/** Texts that may be tokens: a UUID is longer. */
const LONG_WORD = /[\w.+/=~-]{20,}/g;
const MAX_KEPT_TEXT = 4_096;

/** A URL without user, password and query; any other text as it is. What `URL` takes for one, however it is written, is one. */
function withoutCredentials(text: string): string {
  if (!/^\s*[a-z][a-z0-9+.-]*:/i.test(text)) return text;
  return text.replace(/^([^:]*:[\\/\s]*)[^\\/?#]*@/, '$1***@').replace(/\?[^#]*/, '?***');
}

/**
 * What may be kept of a document: a copy without credentials, and the names of what was struck out. It must not be nested
 * without bound.
 */
export function strike(document: unknown): { kept: unknown; struck: string[] } {
  const struck: string[] = [];
  return { kept: without(document, '', struck), struck };
}

function without(value: unknown, at: string, struck: string[]): unknown {
  if (typeof value === 'string') {
    const kept = withoutCredentials(value);
    if (kept !== value) struck.push(at);
    return kept;
  }
  if (Array.isArray(value)) return value.map((one) => without(one, at, struck));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withoutMember(name, member, at, struck)]),
  );
}

function withoutMember(name: string, member: unknown, at: string, struck: string[]): unknown {
  const path = at === '' ? name : `${at}.${name}`;
  const isSecret = SECRET_MEMBER.test(name);
  if (member === null || !(isSecret || CONTEXT_MEMBER.test(name))) return without(member, path, struck);
  if (isSecret) struck.push(path);
  return '***';
}

/** What holds credentials of a URL, which may be short. */
const PART_OF_URL = /(\/\/)[^\s/?#"]*@|(\?)[^\s#"]+/g;

/** The beginning of a text that nobody can read, where a token may be anywhere: without its long words, and without secrets of URLs. */
export const withoutLongWords = (text: string): string =>
  text.slice(0, MAX_KEPT_TEXT).replace(PART_OF_URL, '$1$2***').replace(LONG_WORD, '***');

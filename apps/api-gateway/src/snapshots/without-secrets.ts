/** Members that hold credentials, or a whole context of oslo.messaging, which holds a token. */
const SECRET_MEMBER = /token|passw|secret|credential|^auth$|^_context_/i;
/** Texts that may be tokens: a UUID is longer. */
const LONG_WORD = /[\w.+/=~-]{20,}/g;
const MAX_KEPT_TEXT = 4_096;

/** A URL without user, password and query; any other text as it is. What `URL` takes for one, however it is written, is one. */
function withoutCredentials(text: string): string {
  if (!/^\s*[a-z][a-z0-9+.-]*:/i.test(text)) return text;
  return text.replace(/^([^:]*:[\\/\s]*)[^\\/?#]*@/, '$1***@').replace(/\?[^#]*/, '?***');
}

/** What may be kept of a message: a copy without credentials. It must not be nested without bound. */
export function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return withoutCredentials(value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRET_MEMBER.test(name) ? '***' : withoutSecrets(member),
    ]),
  );
}

/** What holds credentials of a URL, which may be short. */
const PART_OF_URL = /(\/\/)[^\s/?#"]*@|(\?)[^\s#"]+/g;

/** The beginning of a text that nobody can read, where a token may be anywhere: without its long words, and without secrets of URLs. */
export const withoutLongWords = (text: string): string =>
  text.slice(0, MAX_KEPT_TEXT).replace(PART_OF_URL, '$1$2***').replace(LONG_WORD, '***');

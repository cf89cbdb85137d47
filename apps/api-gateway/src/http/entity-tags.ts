/** A validator as a header carries it: `"value"`, or `W/"value"` where it is weak. */
interface EntityTag {
  readonly isWeak: boolean;
  /** With its quotes. */
  readonly tag: string;
}

const TAG = /^(W\/)?("[\x21\x23-\x7e\x80-\xff]*")$/;
const TAGS = /\s*((?:W\/)?"[^"]*")\s*(?:,|$)/gy;

function parseTag(text: string): EntityTag | undefined {
  const [, weak, tag] = TAG.exec(text) ?? [];
  return tag === undefined ? undefined : { isWeak: weak !== undefined, tag };
}

/** The tags of If-Match or If-None-Match. What is none matches nothing. */
function parseTags(header: string): EntityTag[] {
  return [...header.matchAll(TAGS)].map(([, text = '']) => parseTag(text)).filter((tag) => tag !== undefined);
}

/** What a request asks of the state of what it names (RFC 9110 section 13). */
export interface Preconditions {
  readonly 'if-match'?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
}

/** `etag`: the strong validator of what is there, where it has one; null where nothing is there. */
export type CurrentTag = { readonly etag: string | undefined } | null;

function isListed(header: string, current: CurrentTag, comparison: 'strong' | 'weak'): boolean {
  if (current === null) return false;
  if (header.trim() === '*') return true;
  return parseTags(header).some(
    ({ isWeak, tag }) => tag === current.etag && !(isWeak && comparison === 'strong'),
  );
}

/** Whether a GET or HEAD goes on (`proceed`), is answered with 304 (`unchanged`) or refused with 412 (`failed`). */
export function judgePreconditions(
  headers: Preconditions,
  current: CurrentTag,
): 'proceed' | 'unchanged' | 'failed' {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (match !== undefined && !isListed(match, current, 'strong')) return 'failed';
  return noneMatch !== undefined && isListed(noneMatch, current, 'weak') ? 'unchanged' : 'proceed';
}

/** Whether a Range is to be heeded: without If-Range, or where it names the current state, strongly. Dates never do. */
export function heedsRange(ifRange: string | undefined, etag: string | undefined): boolean {
  if (ifRange === undefined) return true;
  const tag = parseTag(ifRange.trim());
  return etag !== undefined && tag?.isWeak === false && tag.tag === etag;
}

/** The values that If-Match lets a change find; undefined where anything will do. A weak tag matches nothing. */
export function valuesToMatch(match: string | undefined): string[] | undefined {
  if (match === undefined || match.trim() === '*') return undefined;
  return parseTags(match)
    .filter(({ isWeak }) => !isWeak)
    .map(({ tag }) => tag.slice(1, -1));
}

/** The strong tag of a value that has none of the characters which end one. */
export const strongTag = (value: string): string => `"${value}"`;

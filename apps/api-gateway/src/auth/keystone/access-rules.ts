import { pathOf } from '../../discovery/route-url.js';
import type { AccessRule } from './token-document.js';

type Ends = ReadonlySet<number>;

function afterText(path: string, starts: Ends, text: string): Ends {
  return new Set([...starts].filter((at) => path.startsWith(text, at)).map((at) => at + text.length));
}

function afterAnything(path: string, starts: Ends): Ends {
  // The earliest was found first.
  const [first = path.length] = starts;
  return new Set(Array.from({ length: path.length - first + 1 }, (_, n) => first + n));
}

function afterPartOfSegment(path: string, starts: Ends): Ends {
  const ends = new Set<number>();
  let isWithin = false;
  for (let at = 0; at < path.length; at += 1) {
    isWithin = path[at] !== '/' && (isWithin || starts.has(at));
    if (isWithin) ends.add(at + 1);
  }
  return ends;
}

/**
 * Keystone's patterns: `*` and `{name}` are one segment of the path, `**` is anything. They are their users', so this is no
 * regular expression: some of those take for ever on some paths.
 */
function matches(pattern: string, path: string): boolean {
  let ends: Ends = new Set([0]);
  for (const [n, part] of pattern.split(/(\*\*|\*|\{[^}]*\})/).entries()) {
    if (n % 2 === 0) ends = afterText(path, ends, part);
    else ends = part === '**' ? afterAnything(path, ends) : afterPartOfSegment(path, ends);
    if (ends.size === 0) return false;
  }
  return ends.has(path.length);
}

/** Whether one of an application credential's access rules allows this request to a service of that type. */
export function isAllowedByRules(
  rules: readonly AccessRule[],
  serviceType: string,
  request: { readonly method: string; readonly originalUrl: string },
): boolean {
  const path = pathOf(request.originalUrl);
  return rules.some(
    (rule) => rule.service === serviceType && rule.method === request.method && matches(rule.path, path),
  );
}

import type { AccessRule } from './token-document.js';

const escape = (text: string) => text.replaceAll(/[$()*+./?[\\\]^{|}-]/g, String.raw`\$&`);

/** Keystone's patterns: `*` and `{name}` are one segment of the path, `**` is anything. */
function patternOf(path: string): RegExp {
  const parts = path.split(/(\*\*|\*|\{[^}]*\})/);
  const source = parts.map((part, n) => (n % 2 === 0 ? escape(part) : part === '**' ? '.*' : '[^/]+'));
  return new RegExp(`^${source.join('')}$`);
}

/** Whether one of an application credential's access rules allows this request to a service of that type. */
export function isAllowedByRules(
  rules: readonly AccessRule[],
  serviceType: string,
  request: { readonly method: string; readonly originalUrl: string },
): boolean {
  const [path] = request.originalUrl.split('?');
  return rules.some(
    (rule) =>
      rule.service === serviceType && rule.method === request.method && patternOf(rule.path).test(path!),
  );
}

import type { Expression } from './language/expression.js';

/** The expression with every `rule:` replaced by what that rule says; one that refers to nothing never holds. */
export function expand(expression: Expression, find: (name: string) => Expression | undefined): Expression {
  if (expression.kind === 'rule') {
    const rule = find(expression.name);
    return rule === undefined ? { kind: 'never' } : expand(rule, find);
  }
  if ('part' in expression) return { kind: 'not', part: expand(expression.part, find) };
  if (!('parts' in expression)) return expression;
  // `a or (b or c)` is `a or b or c`.
  const parts = expression.parts
    .map((part) => expand(part, find))
    .flatMap((part) => (part.kind === expression.kind ? part.parts : [part]));
  return { kind: expression.kind, parts };
}

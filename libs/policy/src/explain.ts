import { type Question, fillTemplate, holds } from './language/evaluate.js';
import type { Expression } from './language/expression.js';
import { printRule } from './language/print-rule.js';

/** Why a rule holds, or why it doesn't. */
export interface Explanation {
  /** This part of the rule; where it compares something, also what was compared. */
  readonly text: string;
  readonly holds: boolean;
  /** What decided it. Parts that made no difference are left out. */
  readonly parts: readonly Explanation[];
}

/** Evaluates the rule as `holds` does, and says what decided. */
export function explain(expression: Expression, question: Question): Explanation {
  const does = holds(expression, question);
  const text = printRule(expression);
  if ('match' in expression) return { text: text + comparison(expression, question), holds: does, parts: [] };
  if ('parts' in expression) return { text, holds: does, parts: decisive(expression, does, question) };
  if ('part' in expression) return { text, holds: does, parts: [explain(expression.part, question)] };
  if (expression.kind !== 'rule') return { text, holds: does, parts: [] };
  const rule = question.rule(expression.name);
  if (rule === undefined) return { text: `${text} (there is no such rule)`, holds: does, parts: [] };
  return { text, holds: does, parts: [explain(rule, question)] };
}

/** One part is enough where it alone settles the outcome; otherwise all of them had to agree. */
function decisive(
  { kind, parts }: Extract<Expression, { kind: 'and' | 'or' }>,
  outcome: boolean,
  question: Question,
): Explanation[] {
  const isOneEnough = outcome === (kind === 'or');
  const deciding = isOneEnough
    ? parts.filter((part) => holds(part, question) === outcome).slice(0, 1)
    : parts;
  return deciding.map((part) => explain(part, question));
}

function comparison(
  check: Extract<Expression, { kind: 'role' | 'credential' | 'literal' }>,
  question: Question,
): string {
  const missing = check.match.flatMap((part) =>
    typeof part !== 'string' && question.attribute(part.attribute) === undefined ? [part.attribute] : [],
  );
  if (missing.length > 0) return ` (the target has no ${missing.join(', ')})`;
  const wanted = JSON.stringify(fillTemplate(check.match, question));
  if (check.kind === 'literal')
    return check.match.every((part) => typeof part === 'string') ? '' : ` (it is ${wanted})`;
  const name = check.kind === 'role' ? 'roles' : check.name;
  const held = question.credential(name);
  if (held === undefined) return ` (nothing is known under the name ${name})`;
  return ` (${name}: ${JSON.stringify(held)}, wanted: ${wanted})`;
}

import type { Expression, Template } from './expression.js';

/** Bare text must mean the same as when it is quoted. */
const NEEDS_QUOTES = /^$|[\s()'"\\]/;

const escape = (text: string) => text.replaceAll(/[\\']/g, String.raw`\$&`);
const partText = (part: Template[number]) =>
  typeof part === 'string' ? part.replaceAll('%', '%%') : `%(${part.attribute})s`;

function printTemplate(template: Template): string {
  const isBare = !template.some((part) => typeof part === 'string' && NEEDS_QUOTES.test(part));
  if (isBare && template.length > 0) return template.map(partText).join('');
  return `'${template.map((part) => (typeof part === 'string' ? escape(partText(part)) : partText(part))).join('')}'`;
}

type Printers = {
  readonly [Kind in Expression['kind']]: (expression: Extract<Expression, { kind: Kind }>) => string;
};

const printers: Printers = {
  always: () => '@',
  never: () => '!',
  role: ({ match }) => `role:${printTemplate(match)}`,
  rule: ({ name }) => `rule:${printTemplate([name])}`,
  credential: ({ name, match }) => `${name}:${printTemplate(match)}`,
  literal: ({ value, match }) => `'${escape(partText(value))}':${printTemplate(match)}`,
  not: ({ part }) => `not ${printPart(part)}`,
  and: ({ parts }) => parts.map((part) => printPart(part)).join(' and '),
  or: ({ parts }) => parts.map((part) => printPart(part)).join(' or '),
};

/** The expression in the rule language: `parseRule` makes the same expression of it again. */
export function printRule(expression: Expression): string {
  const print = printers[expression.kind] as (expression: Expression) => string;
  return print(expression);
}

/** In parentheses also where they change nothing: people read them more easily than they remember what binds tighter. */
function printPart(part: Expression): string {
  const text = printRule(part);
  return 'parts' in part ? `(${text})` : text;
}

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
  not: ({ part }) => `not ${printPart(part, ['and', 'or'])}`,
  and: ({ parts }) => parts.map((part) => printPart(part, ['and', 'or'])).join(' and '),
  or: ({ parts }) => parts.map((part) => printPart(part, ['or'])).join(' or '),
};

/** The expression in the rule language: `parseRule` makes the same expression of it again. */
export function printRule(expression: Expression): string {
  const print = printers[expression.kind] as (expression: Expression) => string;
  return print(expression);
}

function printPart(part: Expression, inParentheses: readonly Expression['kind'][]): string {
  const text = printRule(part);
  return inParentheses.includes(part.kind) ? `(${text})` : text;
}

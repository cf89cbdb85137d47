import type { Expression, Template } from './expression.js';

/** A value that a rule compares; lists are compared one by one. Undefined: there is no such thing. */
export type PolicyValue = string | number | boolean | null | readonly string[] | undefined;

/** Whom and what a rule is asked about. */
export interface Question {
  /** What is known of the caller, by the names of oslo.policy. */
  credential(name: string): PolicyValue;
  /** What is known of what they want to work on. */
  attribute(name: string): PolicyValue;
  /** What `rule:<name>` refers to. */
  rule(name: string): Expression | undefined;
}

/** As Python writes it, since rules compare texts: `True`, `None`. */
function pythonText(value: Exclude<PolicyValue, undefined>): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  return `[${value.map((item) => `'${item}'`).join(', ')}]`;
}

/** The text with its holes filled; undefined where the target lacks an attribute. */
export function fillTemplate(template: Template, question: Question): string | undefined {
  let text = '';
  for (const part of template) {
    const value = typeof part === 'string' ? part : question.attribute(part.attribute);
    if (value === undefined) return undefined;
    text += pythonText(value);
  }
  return text;
}

function hasRole(question: Question, role: string): boolean {
  const roles = question.credential('roles');
  const wanted = role.toLowerCase();
  return Array.isArray(roles) && roles.some((held: string) => held.toLowerCase() === wanted);
}

function isCredential(question: Question, name: string, text: string): boolean {
  const value = question.credential(name);
  if (value === undefined) return false;
  return Array.isArray(value) ? value.includes(text) : pythonText(value) === text;
}

/** Whether the rule holds. A check that needs an attribute that the target lacks does not. */
export function holds(expression: Expression, question: Question): boolean {
  if ('match' in expression) {
    const text = fillTemplate(expression.match, question);
    return text !== undefined && matches(expression, text, question);
  }
  if (expression.kind === 'and') return expression.parts.every((part) => holds(part, question));
  if (expression.kind === 'or') return expression.parts.some((part) => holds(part, question));
  if (expression.kind === 'not') return !holds(expression.part, question);
  if (expression.kind !== 'rule') return expression.kind === 'always';
  const rule = question.rule(expression.name);
  return rule !== undefined && holds(rule, question);
}

type Comparison = Extract<Expression, { match: Template }>;

function matches(check: Comparison, text: string, question: Question): boolean {
  if (check.kind === 'role') return hasRole(question, text);
  return check.kind === 'literal' ? check.value === text : isCredential(question, check.name, text);
}

import { isCredentialName } from './caller-credentials.js';
import type { Expression } from './language/expression.js';
import { PolicyError } from './policy-error.js';

interface Rule {
  readonly name: string;
  readonly expression: Expression;
  readonly source: string;
}

/** Every check in the expression, whatever it is joined by. */
function checksIn(expression: Expression): Expression[] {
  if ('parts' in expression) return expression.parts.flatMap(checksIn);
  return 'part' in expression ? checksIn(expression.part) : [expression];
}

const referencesOf = ({ expression }: Rule): string[] =>
  checksIn(expression).flatMap((check) => (check.kind === 'rule' ? [check.name] : []));

/** Throws a `PolicyError` where rules refer to each other in a circle; answers with what is odd. */
export function checkRules(
  rules: ReadonlyMap<string, Rule>,
  isKnown: (name: string) => boolean,
): readonly string[] {
  refuseCircles(rules);
  const referredTo = new Set([...rules.values()].flatMap(referencesOf));
  return [...rules.values()]
    .filter(({ source }) => source !== 'default')
    .flatMap((rule) => {
      const oddities = [...oddNames(rule, rules)];
      if (!isKnown(rule.name) && !referredTo.has(rule.name))
        oddities.push('Glimpse asks no rule of this name, and no other rule refers to it');
      return oddities.map((oddity) => `${rule.source}: ${rule.name}: ${oddity}`);
    });
}

function oddNames({ expression }: Rule, rules: ReadonlyMap<string, Rule>): Set<string> {
  const oddities = new Set<string>();
  for (const check of checksIn(expression)) {
    if (check.kind === 'rule' && !rules.has(check.name))
      oddities.add(`rule:${check.name} refers to no rule, so it never holds`);
    if (check.kind === 'credential' && !isCredentialName(check.name))
      oddities.add(`nothing is known of a caller under the name ${check.name}, so it never holds`);
  }
  return oddities;
}

function refuseCircles(rules: ReadonlyMap<string, Rule>): void {
  const harmless = new Set<string>();
  const visit = (rule: Rule, path: readonly Rule[]): void => {
    if (harmless.has(rule.name)) return;
    const start = path.indexOf(rule);
    if (start !== -1) throw circle([...path.slice(start), rule]);
    for (const name of referencesOf(rule)) {
      const next = rules.get(name);
      if (next !== undefined) visit(next, [...path, rule]);
    }
    harmless.add(rule.name);
  };
  for (const rule of rules.values()) visit(rule, []);
}

function circle(path: readonly Rule[]): PolicyError {
  const names = path.map(({ name }) => name).join(' → ');
  // A default refers to no other in a circle, so a file is to blame.
  const culprit = path.find(({ source }) => source !== 'default');
  return new PolicyError([
    `${culprit?.source ?? 'default'}: ${culprit?.name ?? ''}: rules refer to each other in a circle: ${names}`,
  ]);
}

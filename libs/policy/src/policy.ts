import type { Caller } from '@glimpse/contracts';
import { credentialOf } from './caller-credentials.js';
import { checkRules } from './check-rules.js';
import { type DefaultRule, type RuleName, allRules } from './default-rules.js';
import { expand } from './expand.js';
import { type Explanation, explain } from './explain.js';
import { type Question, holds } from './language/evaluate.js';
import type { Expression } from './language/expression.js';
import { parseRule } from './language/parse-rule.js';
import { type PolicyTarget, noTarget } from './policy-target.js';

/** One rule as it counts. */
export interface LoadedRule {
  readonly name: string;
  /** As it was written. */
  readonly text: string;
  readonly expression: Expression;
  /** `default`, or the file and line that says it. */
  readonly source: string;
}

/** Whether a rule of this name is Glimpse's own; others may be written for `rule:` to refer to. */
export const isRuleName = (name: string): name is RuleName => Object.hasOwn(allRules, name);

const operationOf = (name: string) => (isRuleName(name) ? allRules[name].operation : undefined);

/** Rules that guard something apply to callers of a project (or of none at all); others are refused, whatever their roles. */
const isInScope = ({ systemScope, domainId, projectId }: Caller) =>
  systemScope === null && (domainId === null || projectId !== null);

const loadDefault = ([name, { check }]: [string, DefaultRule]): LoadedRule => ({
  name,
  text: check,
  expression: parseRule(check),
  source: 'default',
});

/** Who may do what: the default rules, some of them replaced. It never changes; another one takes its place. */
export class Policy {
  private readonly byName: ReadonlyMap<string, LoadedRule>;
  /** What is odd but no error, one sentence each: rules and credentials that nobody knows. */
  readonly warnings: readonly string[];

  /** Throws a `PolicyError` where rules refer to each other in a circle. */
  constructor(overrides: readonly LoadedRule[] = []) {
    const defaults = Object.entries(allRules).map(loadDefault);
    this.byName = new Map([...defaults, ...overrides].map((rule) => [rule.name, rule]));
    this.warnings = checkRules(this.byName, isRuleName);
  }

  /** Every rule: Glimpse's own in the order of the documentation, then those that only files name. */
  get rules(): readonly LoadedRule[] {
    return [...this.byName.values()];
  }

  find(name: string): LoadedRule | undefined {
    return this.byName.get(name);
  }

  /** Whether the caller may do what the rule guards. A rule that nobody wrote allows nothing. */
  allows(name: string, caller: Caller, target: PolicyTarget = noTarget): boolean {
    if (operationOf(name) !== undefined && !isInScope(caller)) return false;
    const rule = this.byName.get(name);
    return rule !== undefined && holds(rule.expression, this.question(caller, target));
  }

  /** As `allows`, with the reason; undefined where nobody wrote the rule. */
  explain(name: string, caller: Caller, target: PolicyTarget = noTarget): Explanation | undefined {
    const rule = this.byName.get(name);
    if (rule === undefined) return undefined;
    const explanation = explain(rule.expression, this.question(caller, target));
    if (operationOf(name) === undefined || isInScope(caller)) return explanation;
    return {
      text: 'the caller is of a project, not of a domain or of the system',
      holds: false,
      parts: [],
    };
  }

  /** What the rule says without referring to others; undefined where nobody wrote it. */
  expand(name: string): Expression | undefined {
    const find = (other: string) => this.byName.get(other)?.expression;
    const expression = find(name);
    return expression === undefined ? undefined : expand(expression, find);
  }

  private question(caller: Caller, attribute: PolicyTarget): Question {
    return {
      attribute,
      credential: (name) => credentialOf(caller, name),
      rule: (name) => this.byName.get(name)?.expression,
    };
  }
}

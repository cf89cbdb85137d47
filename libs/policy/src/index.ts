export {
  type DefaultRule,
  type RuleAction,
  type RuleName,
  type RuleResource,
  allRules,
  ruleNames,
} from './default-rules.js';
export type { Explanation } from './explain.js';
export type { PolicyValue } from './language/evaluate.js';
export { type Expression, RuleSyntaxError, type Template } from './language/expression.js';
export { parseRule } from './language/parse-rule.js';
export { printRule } from './language/print-rule.js';
export { PolicyError } from './policy-error.js';
export { type PolicyPlaces, loadPolicy } from './policy-file.js';
export { type PolicyTarget, noTarget, targetWith } from './policy-target.js';
export { type LoadedRule, Policy, isRuleName } from './policy.js';

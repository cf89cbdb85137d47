export {
  type DefaultRule,
  type RuleAction,
  type RuleName,
  type RuleResource,
  defaultRules,
  ruleNames,
} from './default-rules.js';

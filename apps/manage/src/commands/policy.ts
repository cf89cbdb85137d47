import { loadConfig } from '@glimpse/config';
import type { Caller } from '@glimpse/contracts';
import {
  type DefaultRule,
  type Explanation,
  type LoadedRule,
  Policy,
  PolicyError,
  type PolicyPlaces,
  type PolicyTarget,
  allRules,
  isRuleName,
  loadPolicy,
  printRule,
  targetWith,
} from '@glimpse/policy';
import { type Command, InvalidArgumentError } from 'commander';
import { OperatorError } from '../operator-error.js';
import { type OutputOptions, report, reportList, write } from '../output.js';

interface FileOptions extends OutputOptions {
  readonly file?: string;
}
interface CheckOptions extends FileOptions {
  readonly rule: string;
  readonly roles: readonly string[];
  readonly project?: string;
  readonly user?: string;
  readonly domain?: string;
  readonly system?: boolean;
  readonly target: Readonly<Record<string, string>>;
}

/** Names of one thing: the services give a rule all of them. */
const SYNONYMS = [
  ['project_id', 'owner'],
  ['id', 'image_id'],
  ['member_id', 'member'],
];

const words = (text: string): string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

function attributes(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const pairs = text.split(',').map((pair): [string, string] => {
    const at = pair.indexOf('=');
    if (at < 1) throw new InvalidArgumentError('write attribute=value, several with commas between them.');
    return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
  });
  return { ...before, ...Object.fromEntries(pairs) };
}

function read(places: PolicyPlaces): Policy {
  try {
    return loadPolicy(places);
  } catch (error) {
    if (error instanceof PolicyError) throw new OperatorError(`the policy has errors:\n${error.message}`);
    throw error;
  }
}

const policyOf = ({ file }: FileOptions): Policy =>
  read(file === undefined ? loadConfig().policy : { file, dirs: [] });

/** What a rule says, as it would stand in a file. */
const shown = (text: string) => (text.trim() === '' ? '""' : text);

const guardOf = (name: string): DefaultRule | undefined => (isRuleName(name) ? allRules[name] : undefined);

const describeRule = ({ name, text, source }: LoadedRule) => {
  const before = guardOf(name);
  return {
    rule: name,
    source,
    effective: shown(text),
    default: before === undefined || source === 'default' ? null : shown(before.check),
  };
};

/** Who asks, for `policy check`. */
const callerOf = ({ roles, project, user, domain, system }: CheckOptions): Caller => ({
  requestId: 'policy-check',
  userId: user ?? null,
  projectId: project ?? null,
  domainId: domain ?? null,
  systemScope: system === true ? 'all' : null,
  roles: [...roles],
  serviceRoles: [],
});

function targetOf(given: Readonly<Record<string, string>>): PolicyTarget {
  const all = { ...given };
  for (const names of SYNONYMS) {
    const known = names.find((name) => Object.hasOwn(given, name));
    const value = known === undefined ? undefined : given[known];
    if (value !== undefined) for (const name of names) all[name] ??= value;
  }
  return targetWith(all);
}

/** The reasons, each below what it decides. */
function outline({ text, holds, parts }: Explanation, depth = 1): string[] {
  const line = `${'  '.repeat(depth)}${holds ? 'yes' : 'no '}  ${text}`;
  return [line, ...parts.flatMap((part) => outline(part, depth + 1))];
}

function check(options: CheckOptions): void {
  const explanation = policyOf(options).explain(options.rule, callerOf(options), targetOf(options.target));
  if (explanation === undefined) throw new OperatorError(`there is no rule ${options.rule}`);
  const sentence = [`${explanation.holds ? 'yes' : 'no'}: ${options.rule}`, ...outline(explanation)].join(
    '\n',
  );
  report(options, { rule: options.rule, allowed: explanation.holds, why: explanation }, sentence);
}

function showEffective(names: readonly string[], options: FileOptions): void {
  const policy = policyOf(options);
  const unknown = names.find((name) => policy.find(name) === undefined);
  if (unknown !== undefined) throw new OperatorError(`there is no rule ${unknown}`);
  const rules = policy.rules.filter(({ name }) => names.length === 0 || names.includes(name));
  const expanded = rules.map((rule) => {
    const expression = policy.expand(rule.name);
    return { ...rule, effective: expression === undefined ? '!' : printRule(expression) };
  });
  if (options.json === true)
    write(JSON.stringify(expanded.map(({ name, source, effective }) => ({ rule: name, source, effective }))));
  else
    for (const { name, source, effective } of expanded)
      write(
        `# ${source}; guards ${guardOf(name)?.guards ?? 'nothing of its own'}\n${name}: ${JSON.stringify(effective)}`,
      );
}

function checkFiles(paths: readonly string[], options: OutputOptions): void {
  const policy = read(paths.length === 0 ? loadConfig().policy : { file: paths, dirs: [] });
  const count = policy.rules.filter(({ source }) => source !== 'default').length;
  const sentence = [...policy.warnings.map((warning) => `warning: ${warning}`), `${count} rules, no error.`];
  report(options, { rules: count, warnings: policy.warnings }, sentence.join('\n'));
}

const FILE_OPTION = ['--file <path>', 'this file in place of the configured ones'] as const;

export function addPolicy(program: Command): void {
  const policy = program.command('policy').description('who may do what');
  policy
    .command('list')
    .description('list the rules, what they say and where that comes from')
    .option(...FILE_OPTION)
    .option('--json', 'answer in JSON')
    .action((options: FileOptions) => {
      reportList(options, policyOf(options).rules.map(describeRule), 'No rules.');
    });
  policy
    .command('check')
    .description('say whether a rule allows something, and why')
    .requiredOption('--rule <name>', 'as `policy list` shows it')
    .option('--roles <names>', "the caller's roles, with commas between them", words, [])
    .option('--project <id>', "the caller's project")
    .option('--user <id>', 'the caller')
    .option('--domain <id>', 'the domain of a caller whose token is for a domain')
    .option('--system', 'the token of the caller is for the system')
    .option('--target <attributes>', 'what it is about, e.g. owner=p1,visibility=public', attributes, {})
    .option(...FILE_OPTION)
    .option('--json', 'answer in JSON')
    .action(check);
  policy
    .command('show-effective')
    .description('show rules as a policy file, with every reference to another rule resolved')
    .argument('[rules...]', 'as `policy list` shows them; default: all')
    .option(...FILE_OPTION)
    .option('--json', 'answer in JSON')
    .action(showEffective);
  policy
    .command('check-file')
    .description('look for errors in policy files, and for names that nobody knows')
    .argument('[paths...]', 'default: the configured ones')
    .option('--json', 'answer in JSON')
    .action(checkFiles);
}

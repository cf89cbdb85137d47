import { ConfigError } from '@glimpse/config';

const propertyOperations = ['create', 'read', 'update', 'delete'] as const;
export type PropertyOperation = (typeof propertyOperations)[number];

/** Who may do what with the properties whose names a section's expression is found in. */
export interface ProtectionRule {
  readonly pattern: RegExp;
  /** Roles in lower case, `@` for everybody, `!` for nobody; or, in a file of policies, the one rule to ask. */
  readonly allowed: Readonly<Record<PropertyOperation, readonly string[]>>;
}

export type RuleFormat = 'roles' | 'policies';

interface Section {
  readonly name: string;
  readonly line: number;
  readonly values: Map<string, { readonly text: string; readonly line: number }>;
}

/** Python's spelling of what JavaScript has under another one. */
function toRegExp(expression: string): RegExp {
  const flags = expression.startsWith('(?i)') ? 'i' : '';
  const source = expression
    .replace(/^\(\?i\)/, '')
    .replaceAll('(?P<', '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>');
  return new RegExp(source, flags);
}

function readSections(text: string, report: (line: number, problem: string) => void): Section[] {
  const sections: Section[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    const content = raw.trim();
    if (content === '' || content.startsWith('#') || content.startsWith(';')) continue;
    const header = /^\[(.+)\]$/.exec(content)?.[1];
    if (header !== undefined) {
      if (sections.some(({ name }) => name === header))
        report(line, `there is a section [${header}] already`);
      sections.push({ name: header, line, values: new Map() });
      continue;
    }
    const [, key = '', value = ''] = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(content) ?? [];
    const section = sections.at(-1);
    if (key === '') report(line, 'must be [expression], or operation = who');
    else if (section === undefined) report(line, 'stands before the first section');
    else if (section.values.has(key.toLowerCase())) report(line, `${key} is there twice`);
    else section.values.set(key.toLowerCase(), { text: value, line });
  }
  return sections;
}

function readAllowed(text: string, format: RuleFormat): readonly string[] | { problem: string } {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.includes('@') && names.includes('!')) return { problem: '@ and ! exclude each other' };
  if (format === 'policies' && names.length > 1) return { problem: 'must name one policy' };
  return format === 'policies' ? names : names.map((name) => name.toLowerCase());
}

function toRule(
  section: Section,
  format: RuleFormat,
  report: (line: number, problem: string) => void,
): ProtectionRule {
  let pattern = /(?!)/;
  try {
    pattern = toRegExp(section.name);
  } catch (error) {
    report(section.line, (error as Error).message);
  }
  for (const [key, { line }] of section.values)
    if (!propertyOperations.some((operation) => operation === key))
      report(line, `${key} is no operation; they are ${propertyOperations.join(', ')}`);
  const allowedTo = (operation: PropertyOperation): readonly string[] => {
    const value = section.values.get(operation);
    const allowed = value === undefined ? undefined : readAllowed(value.text, format);
    if (allowed === undefined) report(section.line, `the section does not say who may ${operation}`);
    else if ('problem' in allowed) report(value?.line ?? section.line, allowed.problem);
    else return allowed;
    return [];
  };
  return {
    pattern,
    allowed: {
      create: allowedTo('create'),
      read: allowedTo('read'),
      update: allowedTo('update'),
      delete: allowedTo('delete'),
    },
  };
}

/**
 * The rules of a file in Glance's form (spec/api-images.md section 16), in its order. Throws a `ConfigError` that names
 * `path` and the line of everything that is wrong.
 */
export function parseProtectionFile(text: string, path: string, format: RuleFormat): ProtectionRule[] {
  const problems: { line: number; problem: string }[] = [];
  const report = (line: number, problem: string) => void problems.push({ line, problem });
  const rules = readSections(text, report).map((section) => toRule(section, format, report));
  if (problems.length === 0) return rules;
  const lines = problems
    .toSorted((one, other) => one.line - other.line)
    .map(({ line, problem }) => `${path}:${line}: ${problem}`);
  throw new ConfigError(`The property protections have errors:\n  ${lines.join('\n  ')}`);
}

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LineCounter, type Pair, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import { type Expression, RuleSyntaxError } from './language/expression.js';
import { parseRule } from './language/parse-rule.js';
import { printRule } from './language/print-rule.js';
import { PolicyError } from './policy-error.js';
import { type LoadedRule, Policy } from './policy.js';

/** Where an operator's rules are. */
export interface PolicyPlaces {
  readonly file?: string | readonly string[] | undefined;
  /** Every file of these directories counts, in the order of its name; those that begin with a dot don't. */
  readonly dirs: readonly string[];
}

/**
 * Reads the operator's rules: those of the file, then those of the directories' files, of which the last one counts.
 * Throws a {@link PolicyError} that names every wrong line.
 */
export function loadPolicy({ file, dirs }: PolicyPlaces): Policy {
  const files = typeof file === 'string' ? [file] : (file ?? []);
  const paths = [...files, ...dirs.flatMap(filesIn)];
  const problems: string[] = [];
  const rules: LoadedRule[] = [];
  for (const path of paths) {
    const read = parsePolicyFile(readPolicyFile(path), path);
    rules.push(...read.rules);
    problems.push(...read.problems);
  }
  if (problems.length > 0) throw new PolicyError(problems);
  return new Policy(rules);
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => !entry.name.startsWith('.') && !entry.isDirectory())
      .map(({ name }) => join(directory, name))
      .toSorted();
  } catch (error) {
    throw new PolicyError([`${directory}: cannot be read: ${(error as Error).message}`]);
  }
}

function readPolicyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new PolicyError([`${path}: cannot be read: ${(error as Error).message}`]);
  }
}

interface ReadFile {
  readonly rules: readonly LoadedRule[];
  /** Each with its file and line. */
  readonly problems: readonly string[];
}

/** Reads one file's rules: a YAML (or JSON) mapping of names to texts. */
export function parsePolicyFile(text: string, path: string): ReadFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number) => `${path}:${lines.linePos(offset).line}`;
  const problems = [...document.errors, ...document.warnings].map(
    (error) => `${place(error.pos[0])}: ${error.message}`,
  );
  const { contents } = document;
  if (problems.length > 0 || contents === null || (isScalar(contents) && contents.value === null))
    return { rules: [], problems };
  if (!isMap(contents))
    return { rules: [], problems: [`${place(contents.range[0])}: a policy file is a mapping of rules`] };
  const rules: LoadedRule[] = [];
  for (const pair of contents.items) {
    const source = place(offsetOf(pair));
    try {
      rules.push(readRule(pair, source));
    } catch (error) {
      if (!(error instanceof RuleSyntaxError || error instanceof PolicyError)) throw error;
      problems.push(`${source}: ${String(keyOf(pair))}: ${error.message}`);
    }
  }
  return { rules, problems };
}

const keyOf = ({ key }: Pair): unknown => (isScalar(key) ? key.value : key);
const offsetOf = ({ key }: Pair): number => (isScalar(key) ? (key.range?.[0] ?? 0) : 0);

const NO_TEXT = 'a rule is a text; "" allows it to everybody, "!" to nobody';

function readRule(pair: Pair, source: string): LoadedRule {
  const name = keyOf(pair);
  const { value } = pair;
  if (!isNode(value)) throw new PolicyError([NO_TEXT]);
  if (typeof name !== 'string' || name === '') throw new PolicyError(['the name of a rule is a text']);
  // A bare `!` is YAML's mark of a tag and would leave an empty text: the opposite of what it says.
  if (value.tag?.startsWith('!') === true)
    throw new PolicyError(['a rule that begins with "!" must stand in quotes']);
  if (isScalar(value) && typeof value.value === 'string')
    return { name, text: value.value, expression: parseRule(value.value), source };
  if (isSeq(value)) {
    const expression = readList(value.toJSON());
    return { name, text: printRule(expression), expression, source };
  }
  throw new PolicyError([NO_TEXT]);
}

/** The form of old files: a list of alternatives, each a check or a list of checks that all must hold. */
function readList(alternatives: unknown): Expression {
  if (!Array.isArray(alternatives) || alternatives.length === 0) return { kind: 'always' };
  return joined(
    'or',
    alternatives.map((alternative: unknown) =>
      joined('and', (Array.isArray(alternative) ? alternative : [alternative]).map(readCheck)),
    ),
  );
}

function readCheck(check: unknown): Expression {
  if (typeof check === 'string' && check.trim() !== '') return parseRule(check);
  throw new PolicyError(['a list holds checks, and lists of checks that all must hold']);
}

function joined(kind: 'and' | 'or', parts: readonly Expression[]): Expression {
  const [first, ...more] = parts;
  if (first === undefined) throw new PolicyError(['an empty list among others says nothing']);
  return more.length === 0 ? first : { kind, parts };
}

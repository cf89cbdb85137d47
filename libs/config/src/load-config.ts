import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { toYamlKey } from './option-names.js';
import { listOptions } from './options.js';
import { type Config, ConfigSchema } from './schema.js';
import { notificationProblems } from './sections/notifications.js';
import { oidcProblems } from './sections/oidc.js';
import { snapshotRequestProblems } from './sections/snapshot-requests.js';
import { databaseTlsProblems, tlsProblems } from './sections/tls.js';

/** The configuration can't be used; the message names every key that is wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Tree = { [key: string]: unknown };

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Options that hold a mapping; their keys are the operator's, not ours, and in the environment they are YAML text. */
const FREE_FORM = new Set(['stores', 'staging', 'roleMapping', 'inject']);

const toCamelCase = (key: string) => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

function fromYamlKeys(tree: Tree): Tree {
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => {
      const name = toCamelCase(key);
      return [name, isTree(value) && !FREE_FORM.has(name) ? fromYamlKeys(value) : value];
    }),
  );
}

function setPath(tree: Tree, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) {
    tree[key] = value;
    return;
  }
  if (!isTree(tree[key])) tree[key] = {};
  setPath(tree[key] as Tree, rest, value);
}

function readFile(path: string): Tree {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`GLIMPSE_CONFIG: cannot read ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const tree: unknown = parseText(text, path) ?? {};
  if (!isTree(tree)) throw new ConfigError(`${path}: must be a mapping of options`);
  return fromYamlKeys(tree);
}

function parseText(text: string, where: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    // The first line says what and where. An excerpt of the text follows, and there may be passwords in it.
    const reason = (error as Error).message.replace(/:?\n[\s\S]*/, '');
    throw new ConfigError(`${where}: is not valid YAML: ${reason}`);
  }
}

/** Names that others use in the environment and that are no options. */
const OTHER_NAMES = /^GLIMPSE_(CONFIG$|TEST_|BENCH_)/;

function readEnvironment(environment: NodeJS.ProcessEnv, tree: Tree): string[] {
  const options = new Map(listOptions().map((option) => [option.envName, option]));
  const unknown: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('GLIMPSE_') || value === undefined || OTHER_NAMES.test(name)) continue;
    const option = options.get(name);
    if (option === undefined) unknown.push(`${name}: no such option`);
    else setPath(tree, option.path, FREE_FORM.has(option.path.at(-1)!) ? parseText(value, name) : value);
  }
  return unknown;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/** What no option says alone. */
const problemsTogether = (config: z.output<typeof ConfigSchema>): string[] => [
  ...oidcProblems(config),
  ...notificationProblems(config),
  ...tlsProblems('bus.tls', config.bus.tls),
  ...tlsProblems('snapshots.tls', config.snapshots.tls),
  ...snapshotRequestProblems(config),
  ...databaseTlsProblems(config),
];

function withDefaults(config: z.output<typeof ConfigSchema>): Config {
  const dataDir = resolve(config.dataDir);
  const stores = config.stores ?? {
    file: { type: 'file', weight: 0, datadir: resolve(dataDir, 'images') },
  };
  const ids = Object.keys(stores);
  const defaultStore = config.defaultStore ?? (ids.length === 1 ? ids[0] : undefined);
  if (defaultStore === undefined)
    throw new ConfigError('default_store: must be set when several stores are configured');
  if (!Object.hasOwn(stores, defaultStore))
    throw new ConfigError(`default_store: "${defaultStore}" is not one of the stores (${ids.join(', ')})`);
  return {
    ...config,
    dataDir,
    databaseUrl: config.databaseUrl ?? `sqlite:${resolve(dataDir, 'glimpse.sqlite')}`,
    stores,
    defaultStore,
    staging: config.staging ?? { type: 'file', weight: 0, datadir: resolve(dataDir, 'staging') },
    isMultiStore: config.stores !== undefined,
  };
}

/**
 * Merges the defaults, the YAML file that `GLIMPSE_CONFIG` names and the environment, and checks the result once.
 * Throws a `ConfigError` that names every bad key.
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const file = environment['GLIMPSE_CONFIG'];
  const tree = file === undefined || file === '' ? {} : readFile(file);
  const problems = readEnvironment(environment, tree);
  const parsed = ConfigSchema.safeParse(tree);
  if (!parsed.success)
    problems.push(
      ...parsed.error.issues.map(
        (issue) =>
          `${issue.path.map((part) => toYamlKey(String(part))).join('.') || '(file)'}: ${issue.message}`,
      ),
    );
  else problems.push(...problemsTogether(parsed.data));
  if (problems.length > 0 || !parsed.success)
    throw new ConfigError(`The configuration has errors:\n  ${problems.join('\n  ')}`);
  return deepFreeze(withDefaults(parsed.data));
}

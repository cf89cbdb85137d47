/**
 * `npm run docs`: writes what is generated from the code: glimpse.sample.yaml, docs/configuration.md and docs/asyncapi.yaml.
 * With `--check` it only says which of them are stale.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OptionDescription, listOptions } from '@glimpse/config';
import { format } from 'prettier';
import { stringify } from 'yaml';
import { asyncApiDocument } from '../libs/bus/src/asyncapi/asyncapi-document.js';
import { root } from './services/state.js';

/** Options that hold a mapping of the operator's own keys, with an example to copy. */
const examples: Readonly<Record<string, readonly string[]>> = {
  stores: [
    'stores:',
    '  fast: { type: file, datadir: /srv/fast }',
    '  slow: { type: file, datadir: /srv/slow }',
  ],
};

const wrap = (text: string, width: number): string[] =>
  text.match(new RegExp(`\\S.{0,${width}}(?=\\s|$)`, 'g')) ?? [];

function sampleLines({ path, yamlPath, envName, defaultValue, description }: OptionDescription): string[] {
  const indent = '  '.repeat(path.length - 1);
  const key = yamlPath.split('.').at(-1)!;
  const value = defaultValue === undefined ? '' : ` ${JSON.stringify(defaultValue)}`;
  const setting = examples[yamlPath] ?? [`${key}:${value}`];
  return ['', ...wrap(description, 100), `(${envName})`]
    .map((line) => (line === '' ? '' : `${indent}# ${line}`))
    .concat(setting.map((line) => `${indent}#${line}`));
}

function sampleFile(options: readonly OptionDescription[]): string {
  const lines = [
    '# Every option of Glimpse with its default. Name this file in GLIMPSE_CONFIG; the environment wins over it.',
    '# Generated from libs/config by `npm run docs`.',
  ];
  let group: string | undefined;
  for (const option of options) {
    const [first, second] = option.yamlPath.split('.') as [string, string?];
    const current = second === undefined ? undefined : first;
    // A group of comments alone would be null, which is not a mapping.
    if (current !== undefined && current !== group) lines.push('', `#${current}:`);
    group = current;
    lines.push(...sampleLines(option));
  }
  return `${lines.join('\n')}\n`;
}

const code = (text: string) => `\`${text}\``;

function referencePage(options: readonly OptionDescription[]): string {
  const rows = options.map(({ yamlPath, envName, defaultValue, description }) => {
    const value = defaultValue === undefined ? '' : code(JSON.stringify(defaultValue));
    return `| ${code(yamlPath)}<br>${code(envName)} | ${value} | ${description.replaceAll('|', '\\|')} |`;
  });
  return [
    '# Configuration',
    '',
    'Generated from `libs/config` by `npm run docs`. Each option is a key of the YAML file that `GLIMPSE_CONFIG` names,',
    'and a variable of the environment, which wins. Lists are separated by commas in the environment; `stores` is YAML',
    'text there. `glimpse.sample.yaml` holds all of them to copy from. A wrong or unknown key ends the start with a',
    'message that names it.',
    '',
    '| option | default | what it does |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const options = listOptions();
const generated: Readonly<Record<string, string>> = {
  'glimpse.sample.yaml': sampleFile(options),
  'docs/asyncapi.yaml': `# Generated from libs/contracts by \`npm run docs\`.\n${stringify(asyncApiDocument())}`,
  'docs/configuration.md': await format(referencePage(options), { parser: 'markdown', printWidth: 110 }),
};

const stale = Object.entries(generated).filter(
  ([file, text]) => !existsSync(join(root, file)) || readFileSync(join(root, file), 'utf8') !== text,
);
if (process.argv.includes('--check')) {
  for (const [file] of stale) console.error(`${file} is stale: run \`npm run docs\``);
  if (stale.length > 0) process.exitCode = 1;
} else {
  for (const [file, text] of stale) writeFileSync(join(root, file), text);
}

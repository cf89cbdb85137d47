import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type DefaultRule, allRules } from './default-rules.js';
import { parsePolicyFile } from './policy-file.js';

const page = readFileSync(join(process.cwd(), 'docs', 'policy.md'), 'utf8');

describe('docs/policy.md', () => {
  it('has every rule with its default, as the code has them', () => {
    const rows = page
      .slice(page.indexOf('## All rules'), page.indexOf('## What differs'))
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );

    const rules: [string, DefaultRule][] = Object.entries(allRules);
    expect(rows).toEqual(
      rules.map(([name, { check, guards }]) => [`\`${name}\``, `\`${check === '' ? '""' : check}\``, guards]),
    );
  });

  it('shows a file without errors', () => {
    const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];

    const { rules, problems } = parsePolicyFile(example, 'policy.yaml');

    expect(problems).toEqual([]);
    expect(rules.map(({ name }) => name)).toEqual(['image_curators', 'publicize_image', 'delete_image']);
  });
});

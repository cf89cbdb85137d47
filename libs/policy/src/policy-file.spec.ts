import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ruleNames } from './default-rules.js';
import { loadPolicy } from './policy-file.js';
import { PolicyError } from './policy-error.js';

describe('loadPolicy', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'glimpse-policy-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const load = (text: string) => loadPolicy({ file: file('policy.yaml', text), dirs: [] });
  const textOf = (text: string) => load(text).find('delete_image')?.text;

  it('takes the defaults where there is no file', () => {
    expect(loadPolicy({ dirs: [] }).rules.every(({ source }) => source === 'default')).toBe(true);
  });

  it.each(['', '# nothing\n', '---\n', '{}'])('takes an empty file: %j', (text) => {
    expect(load(text).rules).toHaveLength(ruleNames.length);
  });

  it('replaces the rules that the file names, and says where', () => {
    const policy = load('# mine\n"delete_image": "role:janitor"\n');

    expect(policy.find('delete_image')).toMatchObject({
      text: 'role:janitor',
      source: `${folder}/policy.yaml:2`,
    });
    expect(policy.find('get_image')?.source).toBe('default');
  });

  it.each([
    ['delete_image: ""', ''],
    ['delete_image: "!"', '!'],
    ['{"delete_image": "role:x"}', 'role:x'],
    ['delete_image: >-\n  role:x\n  or role:y', 'role:x or role:y'],
    ['delete_image: [["role:x"], ["role:y", "role:z"], "role:w"]', 'role:x or (role:y and role:z) or role:w'],
    ['delete_image: []', '@'],
  ])('reads %j', (text, expected) => {
    expect(textOf(text)).toBe(expected);
  });

  it('reads the files of the directories after it, in the order of their names', () => {
    mkdirSync(join(folder, 'policy.d', 'sub'), { recursive: true });
    file('policy.d/20-b.yaml', 'delete_image: role:b');
    file('policy.d/10-a.yaml', 'delete_image: role:a\nget_image: role:a');
    file('policy.d/.hidden', 'delete_image: role:c');

    const policy = loadPolicy({
      file: file('policy.yaml', 'delete_image: role:x\nget_image: role:x'),
      dirs: [join(folder, 'policy.d')],
    });

    expect(policy.find('delete_image')?.text).toBe('role:b');
    expect(policy.find('get_image')?.text).toBe('role:a');
  });

  it.each([
    ['a: @', 'policy.yaml:1: '],
    ['a: !', 'policy.yaml:1: a: a rule that begins with "!" must stand in quotes'],
    ['a: !role:x', 'policy.yaml:1: '],
    ['a:', 'policy.yaml:1: a: a rule is a text; "" allows it to everybody, "!" to nobody'],
    ['a: true', 'a rule is a text'],
    ['a: {b: c}', 'a rule is a text'],
    ['a: [[]]', 'an empty list among others says nothing'],
    ['a: [[""]]', 'a list holds checks'],
    ['a: [5]', 'a list holds checks'],
    ['5: role:x', 'the name of a rule is a text'],
    ['- role:x', 'policy.yaml:1: a policy file is a mapping of rules'],
    ['role:x', 'policy.yaml:1: a policy file is a mapping of rules'],
    ['a: role:x\na: role:y', 'policy.yaml:2: Map keys must be unique'],
    ['a: "role:x', 'policy.yaml:1: Missing closing "quote'],
    ['a: "role:x"\n\nb: "role:x and"', 'policy.yaml:3: b: a check is missing at the end (column 11)'],
  ])('refuses %j and names the line', (text, reason) => {
    expect(() => load(text)).toThrow(PolicyError);
    expect(() => load(text)).toThrow(reason);
  });

  it('names every wrong line of every file at once', () => {
    const first = file('a.yaml', 'a: "("\nb: role:x\nc: ")"');
    const second = file('b.yaml', 'd: x');

    expect(() => loadPolicy({ file: [first, second], dirs: [] })).toThrow(
      /a\.yaml:1: a: .*\n.*a\.yaml:3: c: .*\n.*b\.yaml:1: d: /,
    );
  });

  it('refuses files and directories that can not be read', () => {
    expect(() => loadPolicy({ file: join(folder, 'absent.yaml'), dirs: [] })).toThrow(
      'absent.yaml: cannot be read: ENOENT',
    );
    expect(() => loadPolicy({ dirs: [join(folder, 'absent.d')] })).toThrow(
      'absent.d: cannot be read: ENOENT',
    );
  });

  it('stands a file that refers to itself', () => {
    expect(() => load('a: &x [*x]')).toThrow(PolicyError);
  });
});

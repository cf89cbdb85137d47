import { describe, expect, it } from '@jest/globals';
import { type RuleFormat, parseProtectionFile } from './protection-file.js';

const FULL = 'create = @\nread = @\nupdate = @\ndelete = @\n';
const parse = (text: string, format: RuleFormat = 'roles') => parseProtectionFile(text, 'p.conf', format);

describe('parseProtectionFile', () => {
  it("reads Glance's example", () => {
    const rules = parse(
      '# a comment\n[^x_billing_code_.*]\ncreate = admin,Billing\nread: admin , member\nupdate=!\nDelete =\n\n; one more\n[.*]\n' +
        FULL,
    );

    expect(rules.map(({ pattern }) => pattern.source)).toEqual(['^x_billing_code_.*', '.*']);
    expect(rules[0]?.allowed).toEqual({
      create: ['admin', 'billing'],
      read: ['admin', 'member'],
      update: ['!'],
      delete: [],
    });
  });

  it('keeps the case of policies', () => {
    expect(parse(`[x]\n${FULL.replaceAll('@', 'Is_Owner')}`, 'policies')[0]?.allowed.read).toEqual([
      'Is_Owner',
    ]);
  });

  it.each([
    ['(?i)^ABC', 'xabc', false],
    ['(?i)^ABC', 'abcx', true],
    ['[[x-z]+]', 'y', false],
    ['^(?P<a>x)(?P=a)$', 'xx', true],
    ['b', 'abc', true],
  ])("takes Python's %s for what it is", (expression, name, isFound) => {
    expect(parse(`[${expression}]\n${FULL}`)[0]?.pattern.test(name)).toBe(isFound);
  });

  it.each<[string, string, RuleFormat]>([
    [`[a(]\n${FULL}`, 'p.conf:1: Invalid regular expression', 'roles'],
    [FULL, 'p.conf:1: stands before the first section', 'roles'],
    [`[a]\n${FULL}[a]\n${FULL}`, 'p.conf:6: there is a section [a] already', 'roles'],
    [`[a]\n${FULL}what`, 'p.conf:6: must be [expression], or operation = who', 'roles'],
    [`[a]\n${FULL}read = x`, 'p.conf:6: read is there twice', 'roles'],
    [`[a]\n${FULL}write = x`, 'p.conf:6: write is no operation', 'roles'],
    ['[a]\nread = x', 'p.conf:1: the section does not say who may create', 'roles'],
    [`[a]\n${FULL.replace('@', '@,!')}`, 'p.conf:2: @ and ! exclude each other', 'roles'],
    [`[a]\n${FULL.replace('@', 'x,y')}`, 'p.conf:2: must name one policy', 'policies'],
  ])('refuses %j', (text, problem, format) => {
    expect(() => parse(text, format)).toThrow(problem);
  });

  it('names everything that is wrong, in the order of the lines', () => {
    expect(() => parse('x\n[a]\nread = @, !')).toThrow(/p\.conf:1: [^]*p\.conf:2: [^]*p\.conf:3: /);
  });
});

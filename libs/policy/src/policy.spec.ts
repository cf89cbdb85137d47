import type { Caller } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { explain } from './explain.js';
import { type Question, holds } from './language/evaluate.js';
import { parseRule } from './language/parse-rule.js';
import { type LoadedRule, Policy } from './policy.js';
import { targetWith } from './policy-target.js';

const caller = (more: Partial<Caller> = {}): Caller => ({
  requestId: 'r',
  userId: 'u1',
  projectId: 'p1',
  domainId: null,
  systemScope: null,
  roles: ['member', 'reader'],
  serviceRoles: ['service'],
  ...more,
});
const rule = (name: string, text: string, line = 1): LoadedRule => ({
  name,
  text,
  expression: parseRule(text),
  source: `policy.yaml:${line}`,
});
const target = targetWith({
  project_id: 'p1',
  visibility: 'public',
  protected: true,
  owner: null,
  size: 5,
  os_type: 'Linux',
});

describe('Policy', () => {
  it.each<[string, boolean, Partial<Caller>?]>([
    ['', true],
    ['@', true],
    ['!', false],
    ['role:MEMBER', true],
    ['role:member', true, { roles: ['Member'] }],
    ['role:admin', false],
    ['role:x or role:member and role:y', false],
    ['(role:member or role:x) and not role:y', true],
    ['project_id:%(project_id)s', true],
    ['project_id:%(project_id)s', false, { projectId: 'p2' }],
    ['tenant:%(project_id)s', true],
    ['user:u1', true],
    ['project_id:%(owner)s', true, { projectId: null }],
    ['project_id:%(absent)s', false],
    ['not project_id:%(absent)s', true],
    ["'public':%(visibility)s", true],
    ["'PUBLIC':%(visibility)s", false],
    ['True:%(protected)s', true],
    ['None:%(owner)s', true],
    ['5:%(size)s', true],
    ["'linux':%(os_type)s", false],
    ["'img-Linux-5':img-%(os_type)s-%(size)s", true],
    ['service_roles:service', true],
    ['is_admin_project:True', true],
    ['is_admin_project:True', false, { isAdminProject: false }],
    ['user_domain_id:d1', true, { userDomainId: 'd1' }],
    ['constructor:x', false],
    ['project_id:%(constructor)s', false],
    ['rule:absent', false],
    ['rule:context_is_admin', true, { roles: ['admin'] }],
  ])('decides %j as %s', (text, expected, more = {}) => {
    const policy = new Policy([rule('asked', text)]);

    expect(policy.allows('asked', caller(more), target)).toBe(expected);
    expect(policy.explain('asked', caller(more), target)?.holds).toBe(expected);
  });

  it('allows nothing by a rule that nobody wrote', () => {
    expect(new Policy().allows('absent', caller({ roles: ['admin'] }))).toBe(false);
    expect(new Policy().explain('absent', caller())).toBeUndefined();
  });

  it.each<Partial<Caller>>([{ systemScope: 'all' }, { domainId: 'd1', projectId: null }])(
    'refuses a token of another scope, %j, whatever the rule says',
    (scope) => {
      const policy = new Policy([rule('get_images', '@')]);
      const admin = caller({ roles: ['admin'], ...scope });

      expect(policy.allows('get_images', admin)).toBe(false);
      expect(policy.explain('get_images', admin)).toMatchObject({ holds: false, parts: [] });
      expect(policy.allows('context_is_admin', admin)).toBe(true);
    },
  );

  it('lets the last of several overrides count', () => {
    const policy = new Policy([rule('delete_image', '@', 1), rule('delete_image', '!', 2)]);

    expect(policy.find('delete_image')).toMatchObject({ text: '!', source: 'policy.yaml:2' });
    expect(policy.allows('delete_image', caller())).toBe(false);
  });

  it.each([
    [[rule('a', 'rule:a')], 'policy.yaml:1: a: rules refer to each other in a circle: a → a'],
    [
      [rule('a', 'not rule:b'), rule('b', 'role:x or (role:y and rule:a)', 2)],
      'policy.yaml:1: a: rules refer to each other in a circle: a → b → a',
    ],
    [
      [rule('context_is_admin', 'rule:metadef_admin', 9)],
      'policy.yaml:9: context_is_admin: rules refer to each other in a circle: context_is_admin → metadef_admin → context_is_admin',
    ],
  ])('refuses rules that refer to each other in a circle (%#)', (rules, reason) => {
    expect(() => new Policy(rules)).toThrow(reason);
  });

  it('warns of names that nobody knows', () => {
    const policy = new Policy([
      rule('get_imagez', '@', 1),
      rule('delete_image', 'rule:absent or rule:mine', 2),
      rule('mine', 'tenantid:%(owner)s', 3),
    ]);

    expect(policy.warnings).toEqual([
      'policy.yaml:2: delete_image: rule:absent refers to no rule, so it never holds',
      'policy.yaml:1: get_imagez: Glimpse asks no rule of this name, and no other rule refers to it',
      'policy.yaml:3: mine: nothing is known of a caller under the name tenantid, so it never holds',
    ]);
  });

  it('says which part decided', () => {
    const policy = new Policy([
      rule('mine', 'role:x or role:member and rule:other'),
      rule('other', 'user_id:%(owner)s'),
    ]);

    const why = policy.explain('mine', caller(), targetWith({ owner: 'u1' }));

    expect(why).toEqual({
      text: 'role:x or (role:member and rule:other)',
      holds: true,
      parts: [
        {
          text: 'role:member and rule:other',
          holds: true,
          parts: [
            { text: 'role:member (roles: ["member","reader"], wanted: "member")', holds: true, parts: [] },
            {
              text: 'rule:other',
              holds: true,
              parts: [{ text: 'user_id:%(owner)s (user_id: "u1", wanted: "u1")', holds: true, parts: [] }],
            },
          ],
        },
      ],
    });
  });

  it('explains whatever it decides', () => {
    const checks = ['role:a', 'role:b', "'x':%(y)s", 'user_id:%(z)s', '@', '!'];
    const texts = fc
      .array(fc.tuple(fc.constantFrom('and', 'or', 'and not', 'or not'), fc.constantFrom(...checks)), {
        maxLength: 8,
      })
      .map((parts) => parts.reduce((text, [word, check]) => `(${text}) ${word} ${check}`, 'role:a'));
    const questions = fc.record({ roles: fc.subarray(['a', 'b']), y: fc.constantFrom('x', 'n', undefined) });
    fc.assert(
      fc.property(texts, questions, (text, { roles, y }) => {
        const question: Question = {
          credential: (name) => (name === 'roles' ? roles : 'u'),
          attribute: (name) => (name === 'y' ? y : undefined),
          rule: () => undefined,
        };

        expect(explain(parseRule(text), question).holds).toBe(holds(parseRule(text), question));
      }),
    );
  });

  it('shows what a rule says without referring to others', () => {
    const policy = new Policy([
      rule('mine', 'rule:a or (role:x and not rule:absent)'),
      rule('a', 'role:p or role:q'),
    ]);

    expect(policy.expand('mine')).toEqual(parseRule('role:p or role:q or (role:x and not !)'));
    expect(policy.expand('absent')).toBeUndefined();
  });
});

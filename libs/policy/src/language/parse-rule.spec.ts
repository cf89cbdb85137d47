import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Expression, Template } from './expression.js';
import { RuleSyntaxError } from './expression.js';
import { parseRule } from './parse-rule.js';
import { printRule } from './print-rule.js';

const role = (name: string): Expression => ({ kind: 'role', match: [name] });
const a = role('a');
const b = role('b');
const c = role('c');
const attribute = (name: string) => [{ attribute: name }];

describe('parseRule', () => {
  it.each<[string, Expression]>([
    ['', { kind: 'always' }],
    ['  \n ', { kind: 'always' }],
    ['@', { kind: 'always' }],
    ['!', { kind: 'never' }],
    ['role:a', a],
    ['rule:x', { kind: 'rule', name: 'x' }],
    ['role:a or role:b and role:c', { kind: 'or', parts: [a, { kind: 'and', parts: [b, c] }] }],
    ['role:a and role:b or role:c', { kind: 'or', parts: [{ kind: 'and', parts: [a, b] }, c] }],
    ['(role:a or role:b) and role:c', { kind: 'and', parts: [{ kind: 'or', parts: [a, b] }, c] }],
    ['((role:a))', a],
    ['( role:a )', a],
    ['not role:a and role:b', { kind: 'and', parts: [{ kind: 'not', part: a }, b] }],
    ['not not role:a', { kind: 'not', part: { kind: 'not', part: a } }],
    ['not(role:a or role:b)', { kind: 'not', part: { kind: 'or', parts: [a, b] } }],
    ['role:a AND NOT role:b', { kind: 'and', parts: [a, { kind: 'not', part: b }] }],
    ['project_id:%(project_id)s', { kind: 'credential', name: 'project_id', match: attribute('project_id') }],
    ["'public':%(visibility)s", { kind: 'literal', value: 'public', match: attribute('visibility') }],
    ['"public":%(visibility)s', { kind: 'literal', value: 'public', match: attribute('visibility') }],
    ['True:%(protected)s', { kind: 'literal', value: 'True', match: attribute('protected') }],
    ['None:%(owner)s', { kind: 'literal', value: 'None', match: attribute('owner') }],
    ['0:%(min_ram)s', { kind: 'literal', value: '0', match: attribute('min_ram') }],
    ['user_id:"%(owner)s"', { kind: 'credential', name: 'user_id', match: attribute('owner') }],
    ["role:'two words'", role('two words')],
    ['role:a:b', role('a:b')],
    ['role:100%%', role('100%')],
    ['role:x-%(os_type)s-y', { kind: 'role', match: ['x-', { attribute: 'os_type' }, '-y'] }],
    [String.raw`'it\'s':%(name)s`, { kind: 'literal', value: "it's", match: attribute('name') }],
    ['android:x', { kind: 'credential', name: 'android', match: ['x'] }],
  ])('reads %j', (text, expected) => {
    expect(parseRule(text)).toEqual(expected);
  });

  it.each<[string, string]>([
    [
      'role',
      '"role" is no check: a check is role:…, rule:…, <credential>:…, \'<text>\':…, @ or ! (column 1)',
    ],
    ['role:', 'something must follow the colon (column 6)'],
    ['role:a or', 'a check is missing at the end (column 10)'],
    ['role:a or or role:b', 'a check is missing before "or"'],
    ['and role:a', 'a check is missing before "and"'],
    ['role:a role:b', '"and", "or" or the end of the rule must follow (column 8)'],
    ['(role:a', 'this parenthesis is never closed (column 1)'],
    ['role:a)', 'this parenthesis closes none (column 7)'],
    ['()', 'a check is missing before this parenthesis (column 2)'],
    ['!role:a', '"!role" can\'t be the name of a credential'],
    ['@ and', 'a check is missing at the end'],
    ["'x:%(a)s", 'this quote is never closed (column 1)'],
    ["'x'", 'is no check'],
    ['"%(owner)s"', 'an attribute can only stand on the right side of a colon'],
    ['owner:%(x', 'write %(attribute)s for an attribute'],
    ['owner:%(x)d', 'write %(attribute)s for an attribute'],
    ['owner:50%', 'write %(attribute)s for an attribute'],
    ['role:a(b)', 'a blank must follow the check (column 7)'],
    ["role:a'b'", 'a quote may only stand around the whole value'],
    ['rule:%(x)s', 'rule: takes the name of a rule'],
    ['http://policy.example/check', 'http: checks, which ask another server, are not supported'],
    ['('.repeat(100_000), 'a rule has at most 16384 characters'],
    ['('.repeat(10_000), 'a rule is nested at most 64 deep'],
    [`${'not '.repeat(4_000)}role:a`, 'a rule is nested at most 64 deep'],
  ])('refuses %.40j', (text, reason) => {
    expect(() => parseRule(text)).toThrow(RuleSyntaxError);
    expect(() => parseRule(text)).toThrow(reason);
  });

  it('reads what printRule writes', () => {
    fc.assert(
      fc.property(expressions(), (expression) => {
        expect(parseRule(printRule(expression))).toEqual(expression);
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes or refuses any text, and nothing else', () => {
    const fragments = fc.constantFrom(...'( ) and or not role: %(a)s % : @ ! x \\ \n \' "'.split(' '), ' ');
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(fragments, { maxLength: 60 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(outcomeOf(text)).toMatch(/^(read|refused)$/);
      }),
      { numRuns: 5_000 },
    );
  });
});

function outcomeOf(text: string): string {
  try {
    parseRule(text);
    return 'read';
  } catch (error) {
    return error instanceof RuleSyntaxError ? 'refused' : String(error);
  }
}

/** Any expression as the parser makes them. */
function expressions(): fc.Arbitrary<Expression> {
  const text = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' });
  const hole = fc.stringMatching(/^[^()]{1,6}$/).map((name) => ({ attribute: name }));
  const templates: fc.Arbitrary<Template> = fc
    .array(fc.oneof(text, hole), { maxLength: 3 })
    .map((parts) => parts.filter((part, i) => typeof part !== 'string' || typeof parts[i - 1] !== 'string'));
  const names = fc
    .stringMatching(/^[A-Za-z_][\w.-]{0,6}$/)
    .filter((name) => !/^(role|rule|https?|True|False|None)$/.test(name));
  const checks = fc.oneof<fc.Arbitrary<Expression>[]>(
    fc.constant({ kind: 'always' }),
    fc.constant({ kind: 'never' }),
    fc.record({ kind: fc.constant('role'), match: templates }),
    fc.record({ kind: fc.constant('rule'), name: fc.string({ maxLength: 8 }) }),
    fc.record({ kind: fc.constant('credential'), name: names, match: templates }),
    fc.record({ kind: fc.constant('literal'), value: fc.string({ maxLength: 8 }), match: templates }),
  );
  return fc.letrec<{ any: Expression }>((tie) => {
    const parts = fc.array(tie('any'), { minLength: 2, maxLength: 3 });
    return {
      any: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        checks,
        fc.record({ kind: fc.constant('not' as const), part: tie('any') }),
        fc.record({ kind: fc.constant('and' as const), parts }),
        fc.record({ kind: fc.constant('or' as const), parts }),
      ),
    };
  }).any;
}

import type { Expression } from './expression.js';
import { scanQuotedTemplate, scanTemplate } from './scan-template.js';
import type { Scanner } from './scanner.js';

const LEFT_SIDE = /[^\s():'"]+/y;
const CREDENTIAL = /^[A-Za-z_][\w.-]*$/;
/** Of Python's values those that make sense: `True:%(protected)s`, `0:%(min_ram)s`. */
const PYTHON_VALUE = /^(True|False|None|-?(0|[1-9]\d*)(\.\d+)?)$/;
const REMOTE = new Set(['http', 'https']);

/** One check: `kind:value`, `@` or `!`. */
export function scanCheck(scanner: Scanner): Expression {
  const start = scanner.at;
  const literal = scanLiteral(scanner);
  const left = literal ?? scanner.read(LEFT_SIDE);
  if (literal === undefined && left === '@') return { kind: 'always' };
  if (literal === undefined && left === '!') return { kind: 'never' };
  if (!scanner.skip(':'))
    scanner.fail(
      `${JSON.stringify(left)} is no check: a check is role:…, rule:…, <credential>:…, '<text>':…, @ or !`,
      start,
    );
  if (literal !== undefined) return { kind: 'literal', value: literal, match: scanTemplate(scanner) };
  return scanNamedCheck(scanner, left, start);
}

function scanLiteral(scanner: Scanner): string | undefined {
  const start = scanner.at;
  const quoted = scanQuotedTemplate(scanner);
  if (quoted === undefined) return undefined;
  const [text = '', ...more] = quoted;
  if (typeof text !== 'string' || more.length > 0)
    scanner.fail('an attribute can only stand on the right side of a colon', start);
  return text;
}

function scanNamedCheck(scanner: Scanner, left: string, start: number): Expression {
  if (PYTHON_VALUE.test(left)) return { kind: 'literal', value: left, match: scanTemplate(scanner) };
  if (REMOTE.has(left)) scanner.fail(`${left}: checks, which ask another server, are not supported`, start);
  if (!CREDENTIAL.test(left))
    scanner.fail(`${JSON.stringify(left)} can't be the name of a credential`, start);
  const valueAt = scanner.at;
  const match = scanTemplate(scanner);
  if (left === 'role') return { kind: 'role', match };
  if (left !== 'rule') return { kind: 'credential', name: left, match };
  const [name = '', ...more] = match;
  if (typeof name !== 'string' || more.length > 0)
    scanner.fail('rule: takes the name of a rule, not an attribute', valueAt);
  return { kind: 'rule', name };
}

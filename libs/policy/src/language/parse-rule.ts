import type { Expression } from './expression.js';
import { scanCheck } from './scan-check.js';
import { Scanner } from './scanner.js';

const MAX_LENGTH = 16_384;
const MAX_DEPTH = 64;

const BLANKS = /\s*/y;
/** A word of the grammar stands alone: `android:x` begins with none. */
const WORD = { and: /and(?=[\s()]|$)/iy, or: /or(?=[\s()]|$)/iy, not: /not(?=[\s()]|$)/iy } as const;

/**
 * Reads a rule of oslo.policy's language: checks joined by `not`, `and` and `or` (binding in this order, the tightest
 * first) and parentheses. Nothing but blanks means always. Throws a {@link RuleSyntaxError}; text of any length and
 * depth is safe to give.
 */
export function parseRule(text: string): Expression {
  const scanner = new Scanner(text);
  if (text.length > MAX_LENGTH) scanner.fail(`a rule has at most ${MAX_LENGTH} characters`);
  scanner.read(BLANKS);
  if (scanner.isAtEnd) return { kind: 'always' };
  const expression = parseOr(scanner, 0);
  if (!scanner.isAtEnd)
    scanner.fail(
      scanner.peek() === ')'
        ? 'this parenthesis closes none'
        : '"and", "or" or the end of the rule must follow',
    );
  return expression;
}

const parseOr = (scanner: Scanner, depth: number): Expression =>
  parseJoined(scanner, 'or', () => parseAnd(scanner, depth));

const parseAnd = (scanner: Scanner, depth: number): Expression =>
  parseJoined(scanner, 'and', () => parseUnary(scanner, depth));

function parseJoined(scanner: Scanner, word: 'and' | 'or', parsePart: () => Expression): Expression {
  const first = parsePart();
  const parts = [first];
  while (readWord(scanner, word)) parts.push(parsePart());
  return parts.length === 1 ? first : { kind: word, parts };
}

function parseUnary(scanner: Scanner, depth: number): Expression {
  if (depth > MAX_DEPTH) scanner.fail(`a rule is nested at most ${MAX_DEPTH} deep`);
  if (readWord(scanner, 'not')) return { kind: 'not', part: parseUnary(scanner, depth + 1) };
  const start = scanner.at;
  if (scanner.skip('(')) {
    scanner.read(BLANKS);
    const inner = parseOr(scanner, depth + 1);
    if (!scanner.skip(')'))
      scanner.fail(
        scanner.isAtEnd
          ? 'this parenthesis is never closed'
          : '"and", "or" or a closing parenthesis must follow',
        scanner.isAtEnd ? start : scanner.at,
      );
    scanner.read(BLANKS);
    return inner;
  }
  return parseCheck(scanner);
}

function parseCheck(scanner: Scanner): Expression {
  if (scanner.isAtEnd) scanner.fail('a check is missing at the end');
  if (scanner.peek() === ')') scanner.fail('a check is missing before this parenthesis');
  for (const word of ['and', 'or'] as const)
    if (readWord(scanner, word)) scanner.fail(`a check is missing before "${word}"`);
  const check = scanCheck(scanner);
  const end = scanner.at;
  scanner.read(BLANKS);
  if (scanner.at === end && !scanner.isAtEnd && scanner.peek() !== ')')
    scanner.fail('a blank must follow the check');
  return check;
}

function readWord(scanner: Scanner, word: keyof typeof WORD): boolean {
  const found = scanner.read(WORD[word]) !== '';
  if (found) scanner.read(BLANKS);
  return found;
}

import type { Template } from './expression.js';
import type { Scanner } from './scanner.js';

const BARE = /[^\s()%'"]+/y;
const WITHIN = { "'": /[^'%\\]+/y, '"': /[^"%\\]+/y } as const;
const ATTRIBUTE = /[^()]+/y;

type Quote = keyof typeof WITHIN;
const isQuote = (text: string): text is Quote => text === "'" || text === '"';

/** What stands between quotes, as it is meant; undefined where no quote comes next. */
export function scanQuotedTemplate(scanner: Scanner): Template | undefined {
  const start = scanner.at;
  const quote = scanner.peek();
  if (!isQuote(quote)) return undefined;
  scanner.skip(quote);
  const template = scanParts(scanner, () => scanner.read(WITHIN[quote]) || scanEscape(scanner));
  if (!scanner.skip(quote)) scanner.fail('this quote is never closed', start);
  return template;
}

/** The right side of a check: quoted, or everything up to a blank or a parenthesis. */
export function scanTemplate(scanner: Scanner): Template {
  const quoted = scanQuotedTemplate(scanner);
  if (quoted !== undefined) return quoted;
  const template = scanParts(scanner, () => scanner.read(BARE));
  if (isQuote(scanner.peek())) scanner.fail('a quote may only stand around the whole value');
  return template.length > 0 ? template : scanner.fail('something must follow the colon');
}

/** Pieces of text as `scanText` reads them, and what stands between them. */
function scanParts(scanner: Scanner, scanText: () => string): Template {
  const parts: (string | { attribute: string })[] = [];
  for (;;) {
    const part = scanner.peek() === '%' ? scanPercent(scanner) : scanText();
    if (part === '') return parts;
    const last = parts.at(-1);
    if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part;
    else parts.push(part);
  }
}

function scanEscape(scanner: Scanner): string {
  if (!scanner.skip('\\')) return '';
  return scanner.read(/[\\'"]/y) || scanner.fail('a backslash stands before a quote or a backslash only');
}

function scanPercent(scanner: Scanner): string | { attribute: string } {
  const start = scanner.at;
  if (scanner.skip('%%')) return '%';
  const attribute = scanner.skip('%(') ? scanner.read(ATTRIBUTE) : '';
  if (attribute === '' || !scanner.skip(')s'))
    scanner.fail('write %(attribute)s for an attribute, %% for a percent sign', start);
  return { attribute };
}

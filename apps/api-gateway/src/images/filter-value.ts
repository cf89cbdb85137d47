import { ServiceError } from '@glimpse/contracts';
import { parseIsoTime } from './iso-time.js';

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

/** Splits `operator:value`; a bare timestamp holds colons but no operator. */
export function splitOperator(expression: string): { operator: string | null; value: string } {
  const colon = expression.indexOf(':');
  if (colon === -1 || parseIsoTime(expression) !== null) return { operator: null, value: expression };
  return { operator: expression.slice(0, colon), value: expression.slice(colon + 1) };
}

function checkQuotes(value: string): void {
  let isOpen = false;
  for (let at = 0; at < value.length; at += 1) {
    if (value[at] !== '"' || value[at - 1] === '\\') continue;
    if (!isOpen && at > 0 && value[at - 1] !== ',')
      throw invalid(`Invalid filter value ${value}. There is no comma before opening quotation mark.`);
    if (isOpen && at + 1 < value.length && value[at + 1] !== ',')
      throw invalid(`Invalid filter value ${value}. There is no comma after closing quotation mark.`);
    isOpen = !isOpen;
  }
  if (isOpen) throw invalid(`Invalid filter value ${value}. The quote is not closed.`);
}

// A quoted value (backslash protects a character and stays), a bare one, or the empty one before a comma.
const LIST_ITEM = /"([^"\\]*(?:\\.[^"\\]*)*)",?|([^,]+),?|,/gs;

/** The values of `in:`, which may be quoted to hold commas. */
function splitList(value: string): string[] {
  checkQuotes(value);
  return [...value.matchAll(LIST_ITEM)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

/** What a filter of text accepts: `v` or `eq:v`, one of `in:a,b`, or what begins as `like:v` says. */
export function parseTextFilter(
  column: string,
  expression: string,
): { values: string[] } | { prefix: string } {
  const { operator, value } = splitOperator(expression);
  switch (operator) {
    case null:
    case 'eq':
      return { values: [value] };
    case 'in':
      return { values: splitList(value) };
    case 'like':
      return { prefix: value };
    default:
      throw invalid(`Unable to filter by unknown operator '${operator}' on '${column}'.`);
  }
}

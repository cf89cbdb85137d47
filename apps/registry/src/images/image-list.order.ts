import type { ImageQuery, SortKey } from '@glimpse/contracts';
import type { SqlValue } from '@glimpse/persistence';
import type { Condition } from './image-list.filters.js';
import type { ReadImageRow } from './image-rows.js';

type Direction = 'asc' | 'desc';

export interface SortTerm {
  readonly key: SortKey;
  readonly direction: Direction;
}

/** What an absent value counts as. Only these columns are ever null; `updated_at` is by another writer's hand. */
const absent: Partial<Record<SortKey, SqlValue>> = {
  name: '',
  container_format: '',
  disk_format: '',
  size: 0,
  updated_at: '1000-01-01 00:00:00',
};

export const canBeAbsent = (key: SortKey): boolean => absent[key] !== undefined;

/** The column with its absent values filled in: by this every order is defined, and no index is read in it. */
export function filledIn(key: SortKey): string {
  const value = absent[key];
  if (value === undefined) return `i.${key}`;
  return `COALESCE(i.${key}, ${typeof value === 'number' ? value : `'${value}'`})`;
}

/** As `filledIn`, in a form that no index is read in the order of: for a few rows that are cheaper to sort. */
export const unordered = (key: SortKey): string =>
  canBeAbsent(key) ? filledIn(key) : `COALESCE(i.${key}, i.${key})`;

/** The keys that were asked for, and the tie breakers: no two images are equal in all of them. */
export function sortTerms(query: Pick<ImageQuery, 'sort' | 'tieDirection'>): SortTerm[] {
  const terms: SortTerm[] = [];
  const ties = (['created_at', 'id'] as const).map((key) => ({ key, direction: query.tieDirection }));
  for (const term of [...query.sort, ...ties]) {
    if (!terms.some(({ key }) => key === term.key)) terms.push(term);
    if (term.key === 'id') break;
  }
  return terms;
}

/** How a SELECT reads a sort key. */
export type Expression = (key: SortKey) => string;

export const orderBy = (terms: readonly SortTerm[], expression: Expression): string =>
  terms.map(({ key, direction }) => `${expression(key)} ${direction}`).join(', ');

/** What the marker has for a sort key. */
const markerValue = (marker: ReadImageRow, key: SortKey): SqlValue => marker[key] ?? absent[key] ?? null;

/** That an image comes after the marker. */
export function keysetCondition(
  terms: readonly SortTerm[],
  marker: ReadImageRow,
  expression: Expression,
): Condition {
  const [first] = terms;
  if (first === undefined) return { sql: '1 = 1', values: [] };
  const valueOf = ({ key }: SortTerm) => markerValue(marker, key);
  const values: SqlValue[] = [];
  const alternatives = terms.map((term, index) => {
    const ties = terms.slice(0, index);
    values.push(...ties.map(valueOf), valueOf(term));
    return [
      ...ties.map(({ key }) => `${expression(key)} = ?`),
      `${expression(term.key)} ${term.direction === 'asc' ? '>' : '<'} ?`,
    ].join(' AND ');
  });
  // Implied by the alternatives; lets SQLite enter the index at the marker.
  const bound = `${expression(first.key)} ${first.direction === 'asc' ? '>=' : '<='} ?`;
  return { sql: `${bound} AND (${alternatives.join(' OR ')})`, values: [valueOf(first), ...values] };
}

/** Where an absent value of the key lies from the marker on: `unknown` where only the database's collation can tell. */
export function placeOfAbsent(
  { key, direction }: SortTerm,
  marker: ReadImageRow,
): 'before' | 'same' | 'after' | 'unknown' {
  const value = marker[key] ?? null;
  if (value === null || value === absent[key]) return 'same';
  const isGreater =
    typeof value === 'number' ? value > 0 : key === 'updated_at' || /[\p{L}\p{N}]/u.test(value);
  if (!isGreater) return 'unknown';
  return direction === 'asc' ? 'before' : 'after';
}

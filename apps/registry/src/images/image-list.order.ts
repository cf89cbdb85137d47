import type { ImageQuery, SortKey } from '@glimpse/contracts';
import type { SqlValue } from '@glimpse/persistence';
import type { Condition } from './image-list.filters.js';
import type { ReadImageRow } from './image-rows.js';

type Direction = 'asc' | 'desc';

export interface SortTerm {
  readonly key: SortKey;
  readonly direction: Direction;
}

/** What an absent value counts as. Only these columns are ever null. */
const absent: Partial<Record<SortKey, SqlValue>> = {
  name: '',
  container_format: '',
  disk_format: '',
  size: 0,
};

function expression(key: SortKey): string {
  const value = absent[key];
  if (value === undefined) return `i.${key}`;
  return `COALESCE(i.${key}, ${value === 0 ? '0' : "''"})`;
}

/** The keys that were asked for, and the tie breakers: no two images are equal in all of them. */
export function sortTerms(query: Pick<ImageQuery, 'sort' | 'tieDirection'>): SortTerm[] {
  const terms: SortTerm[] = [];
  const ties = (['created_at', 'id'] as const).map((key) => ({ key, direction: query.tieDirection }));
  for (const term of [...query.sort, ...ties])
    if (!terms.some(({ key }) => key === term.key)) terms.push(term);
  return terms;
}

export const orderBy = (terms: readonly SortTerm[]): string =>
  terms.map(({ key, direction }) => `${expression(key)} ${direction}`).join(', ');

/** That an image comes after the marker. */
export function keysetCondition(terms: readonly SortTerm[], marker: ReadImageRow): Condition {
  const values: SqlValue[] = [];
  const valueOf = ({ key }: SortTerm) => marker[key] ?? absent[key] ?? null;
  const alternatives = terms.map((term, index) => {
    const ties = terms.slice(0, index);
    values.push(...ties.map(valueOf), valueOf(term));
    return [
      ...ties.map(({ key }) => `${expression(key)} = ?`),
      `${expression(term.key)} ${term.direction === 'asc' ? '>' : '<'} ?`,
    ].join(' AND ');
  });
  const [first] = terms;
  if (first === undefined) return { sql: '1 = 1', values: [] };
  // Implied by the alternatives; lets the database enter the index at the marker.
  const bound = `${expression(first.key)} ${first.direction === 'asc' ? '>=' : '<='} ?`;
  return { sql: `${bound} AND (${alternatives.join(' OR ')})`, values: [valueOf(first), ...values] };
}

import { type ImageQuery, type SortKey, sortKeys } from '@glimpse/contracts';
import type { Dialect, SqlValue } from '@glimpse/persistence';
import { type Condition, filterConditions, filteredColumns } from './image-list.filters.js';
import {
  type SortTerm,
  canBeAbsent,
  filledIn,
  keysetCondition,
  orderBy,
  placeOfAbsent,
  sortTerms,
  unordered,
} from './image-list.order.js';
import { type Viewer, type Way, eitherOf, waysToAppear } from './image-list.ways.js';
import { type ReadImageRow, imageColumnList } from './image-rows.js';

export interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/**
 * The statement for one page of a list; null where no image can match. Each way in which an image may appear (public,
 * owned, shared) is a SELECT of its own with an index of its own, and none yields an image of another. It finds the ids
 * first, so that only the rows of the page are read whole.
 */
export function imageListQuery(
  query: ImageQuery,
  viewer: Viewer,
  marker: ReadImageRow | undefined,
  dialect: Dialect,
): Statement | null {
  const filters = filterConditions(query);
  if (filters === null || query.limit === 0) return null;
  const terms = sortTerms(query);
  const hint = hintFor(query, terms, dialect);
  const selects = waysFor(query, viewer, filters).flatMap((way) =>
    branches(way, terms, marker).map((branch) =>
      select(branch, filters, terms, {
        limit: query.limit,
        hint: way.inOrderOf === 'none' ? '' : hint,
      }),
    ),
  );
  if (selects.length === 0) return null;
  const keys = terms.map(({ key }) => key);
  const union = selects
    .map(({ sql }) => `SELECT ${keys.join(', ')} FROM (${sql}) branch`)
    .join(' UNION ALL ');
  const page = `SELECT ${keys.join(', ')} FROM (${union}) found ORDER BY ${orderBy(terms, (key) => key)} LIMIT ${query.limit}`;
  return {
    sql: `SELECT ${imageColumnList} FROM (${page}) page JOIN images i ON i.id = page.id ORDER BY ${orderBy(terms, (key) => `page.${key}`)}`,
    values: selects.flatMap(({ values }) => values),
  };
}

/** The statement that counts what `imageListQuery` lists page by page, up to `limit`; null where no image can match. */
export function imageCountQuery(query: ImageQuery, viewer: Viewer, limit: number): Statement | null {
  const filters = filterConditions(query);
  if (filters === null) return null;
  const ways = waysFor(query, viewer, filters);
  if (ways.length === 0) return null;
  const selects = ways.map(({ condition }) => {
    const conditions = [condition, ...filters];
    return {
      sql: `SELECT 1 AS one FROM images i WHERE ${allOf(conditions.map(({ sql }) => sql))} LIMIT ${limit}`,
      values: conditions.flatMap(({ values }) => values),
    };
  });
  const union = selects.map(({ sql }) => `SELECT one FROM (${sql}) branch`).join(' UNION ALL ');
  return {
    sql: `SELECT COUNT(*) AS count FROM (${union}) found`,
    values: selects.flatMap(({ values }) => values),
  };
}

/** With more filters than this planning costs more than reading, and is done for each SELECT. */
const MANY_FILTERS = 20;

function waysFor(query: ImageQuery, viewer: Viewer, filters: readonly Condition[]): Way[] {
  const ways = waysToAppear(query, viewer);
  return filters.length > MANY_FILTERS && ways.length > 1 ? [eitherOf(ways)] : ways;
}

/**
 * What MySQL is not to read. Glance's indexes of a sort key alone have the order too, but MySQL underestimates what it
 * takes to find a page in them, and reads a whole million of images for one. And all indexes of ours begin with the same
 * columns: one whose key is neither sorted nor filtered by only leads to sorting all images of a visibility.
 */
function hintFor(query: ImageQuery, [first]: readonly SortTerm[], dialect: Dialect): string {
  if (dialect === 'sqlite') return '';
  const filtered = filteredColumns(query);
  const idle = sortKeys.filter((key) => key !== first?.key && !filtered.has(key));
  const names = idle.map((key) => `glimpse_images_by_${key}`);
  return ` IGNORE INDEX (${names.join(', ')}) IGNORE INDEX FOR ORDER BY (created_at_image_idx, updated_at_image_idx, PRIMARY)`;
}

/** What one SELECT yields, in the order that it is wanted in. */
interface Branch {
  readonly conditions: readonly Condition[];
  readonly order: string;
}

/**
 * The SELECTs for one way. An index holds absent values apart from empty ones, so where it is to be read in its order,
 * those with a value and those without are two SELECTs.
 */
function branches(way: Way, terms: readonly SortTerm[], marker: ReadImageRow | undefined): Branch[] {
  const [first, ...rest] = terms;
  const isOrdered = way.inOrderOf === 'every key' || way.inOrderOf === first?.key;
  if (first === undefined || !isOrdered || !canBeAbsent(first.key)) {
    const expression = isOrdered ? filledIn : unordered;
    const keyset = marker === undefined ? [] : [keysetCondition(terms, marker, expression)];
    return [{ conditions: [way.condition, ...keyset], order: orderBy(terms, expression) }];
  }
  const plainFirst = (key: SortKey) => (key === first.key ? `i.${key}` : filledIn(key));
  const behind =
    marker === undefined
      ? { sql: `i.${first.key} IS NOT NULL`, values: [] }
      : keysetCondition(terms, marker, plainFirst);
  const present = { conditions: [way.condition, behind], order: orderBy(terms, plainFirst) };
  const behindMarker = marker === undefined ? [] : absentBehind(first, rest, marker);
  if (behindMarker === null) return [present];
  const missing = { sql: `i.${first.key} IS NULL`, values: [] };
  const absent = {
    conditions: [way.condition, missing, ...behindMarker],
    order: orderBy(rest, filledIn),
  };
  return [present, absent];
}

/** What the images without a value in the first key must be to come after the marker; null where none does. */
function absentBehind(first: SortTerm, rest: readonly SortTerm[], marker: ReadImageRow): Condition[] | null {
  const place = placeOfAbsent(first, marker);
  if (place === 'before') return null;
  if (place === 'after') return [];
  return [keysetCondition(place === 'same' ? rest : [first, ...rest], marker, filledIn)];
}

function select(
  branch: Branch,
  filters: readonly Condition[],
  terms: readonly SortTerm[],
  { limit, hint }: { limit: number; hint: string },
): Statement {
  const conditions = [...branch.conditions, ...filters];
  const columns = terms.map(({ key }) => `${filledIn(key)} AS ${key}`).join(', ');
  return {
    sql: `SELECT ${columns} FROM images i${hint} WHERE ${allOf(conditions.map(({ sql }) => sql))} ORDER BY ${branch.order} LIMIT ${limit}`,
    values: conditions.flatMap(({ values }) => values),
  };
}

/** SQLite refuses an expression that is nested a thousand deep, and each AND of a chain nests. */
const MAX_CHAIN = 100;

function allOf(terms: readonly string[]): string {
  if (terms.length <= MAX_CHAIN) return terms.join(' AND ');
  const middle = Math.ceil(terms.length / 2);
  return `(${allOf(terms.slice(0, middle))}) AND (${allOf(terms.slice(middle))})`;
}

import type { ImageQuery } from '@glimpse/contracts';
import { type ImageRow, type SqlValue, placeholders } from '@glimpse/persistence';
import { type Condition, filterConditions } from './image-list.filters.js';
import { type ReadImageRow, imageColumnList } from './image-rows.js';
import { keysetCondition, orderBy, sortTerms } from './image-list.order.js';

/** Who is asking, as far as it decides which images appear. */
export interface Viewer {
  readonly isAdmin: boolean;
  readonly projectId: string | null;
}

export interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/**
 * The statement for one page of a list; null where no image can match. Each way in which an image may appear (public,
 * owned, shared) is a SELECT of its own with an index of its own, and none yields an image of another.
 */
export function imageListQuery(
  query: ImageQuery,
  viewer: Viewer,
  marker: ReadImageRow | undefined,
): Statement | null {
  const filters = filterConditions(query);
  const ways = waysToAppear(query, viewer);
  if (filters === null || ways.length === 0) return null;
  const terms = sortTerms(query);
  const keyset = marker === undefined ? [] : [keysetCondition(terms, marker)];
  const tail = `ORDER BY ${orderBy(terms)} LIMIT ${query.limit}`;
  const selects = ways.map((way) => select([way, ...filters, ...keyset], tail));
  if (selects.length === 1) return selects[0] ?? null;
  const union = selects.map(({ sql }) => `SELECT ${imageColumnList} FROM (${sql}) i`).join(' UNION ALL ');
  return {
    sql: `SELECT ${imageColumnList} FROM (${union}) i ${tail}`,
    values: selects.flatMap(({ values }) => values),
  };
}

/** SQLite refuses an expression that is nested a thousand deep, and each AND of a chain nests. */
const MAX_CHAIN = 100;

function allOf(terms: readonly string[]): string {
  if (terms.length <= MAX_CHAIN) return terms.join(' AND ');
  const middle = Math.ceil(terms.length / 2);
  return `(${allOf(terms.slice(0, middle))}) AND (${allOf(terms.slice(middle))})`;
}

function select(conditions: readonly Condition[], tail: string): Statement {
  return {
    sql: `SELECT ${imageColumnList} FROM images i WHERE ${allOf(conditions.map(({ sql }) => sql))} ${tail}`,
    values: conditions.flatMap(({ values }) => values),
  };
}

const ofVisibility = (...visibilities: ImageRow['visibility'][]): Condition => ({
  sql: `i.visibility IN (${placeholders(visibilities)})`,
  values: visibilities,
});

function ownedBy(projectId: string, ...visibilities: ImageRow['visibility'][]): Condition {
  const { sql, values } = ofVisibility(...visibilities);
  return { sql: `i.owner = ? AND ${sql}`, values: [projectId, ...values] };
}

/** Shared with the project by somebody else. */
function sharedWith(projectId: string, memberStatus: ImageQuery['memberStatus']): Condition {
  const ofStatus = memberStatus === 'all' ? '' : ' AND m.status = ?';
  return {
    sql: `i.visibility = 'shared' AND (i.owner IS NULL OR i.owner <> ?) AND i.id IN (
      SELECT m.image_id FROM image_members m WHERE m.member = ? AND m.deleted = 0${ofStatus})`,
    values: [projectId, projectId, ...(memberStatus === 'all' ? [] : [memberStatus])],
  };
}

/** spec/api-images.md section 5.4. */
function waysToAppear(query: ImageQuery, viewer: Viewer): Condition[] {
  const { visibility, memberStatus } = query;
  if (visibility === '') return [];
  if (viewer.isAdmin) return [seenByAdmin(visibility, viewer.projectId)];
  const open = visibility === undefined ? ['public'] : ['public', 'community'];
  const ways = open
    .filter((one) => visibility === undefined || visibility === 'all' || visibility === one)
    .map((one) => ofVisibility(one));
  const { projectId } = viewer;
  if (projectId === null) return ways;
  const own = (visibility === undefined ? ['private', 'shared', 'community'] : ['private', 'shared']).filter(
    (one) => visibility === undefined || visibility === 'all' || visibility === one,
  );
  if (own.length > 0) ways.push(ownedBy(projectId, ...own));
  if (own.includes('shared')) ways.push(sharedWith(projectId, memberStatus));
  return ways;
}

function seenByAdmin(visibility: Exclude<ImageQuery['visibility'], ''>, projectId: string | null): Condition {
  if (visibility === 'all') return { sql: '1 = 1', values: [] };
  if (visibility !== undefined) return ofVisibility(visibility);
  return { sql: "(i.visibility <> 'community' OR i.owner = ?)", values: [projectId] };
}

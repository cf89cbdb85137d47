import { type ImageQuery, isStorableText } from '@glimpse/contracts';
import { type SqlCondition, type SqlValue, exactly, placeholders } from '@glimpse/persistence';

/** Something that the row `i` of `images` must fulfil. */
export type Condition = SqlCondition;

const NUMERIC = new Set<string>(['min_ram', 'min_disk', 'size', 'virtual_size']);

const comparisons = { gt: '>', gte: '>=', lt: '<', lte: '<=', eq: '=', neq: '<>' } as const;

/** What an image must be to match the filters, beside appearing at all; null where none can. */
export function filterConditions(query: ImageQuery): Condition[] | null {
  const prefixes = query.prefixes ?? [];
  const texts = [
    ...query.tags,
    ...Object.entries(query.properties).flat(),
    ...prefixes.map(({ prefix }) => prefix),
  ];
  if (!texts.every(isStorableText)) return null;
  const anyOf = query.anyOf.map(anyOfCondition);
  if (anyOf.includes(null)) return null;
  return [
    { sql: 'i.deleted = 0 AND i.os_hidden = ?', values: [query.osHidden ? 1 : 0] },
    // As an expression: a plain comparison is taken for a range, and the index of the status for the best one.
    { sql: "COALESCE(i.status, '') <> 'killed'", values: [] },
    ...(query.protected === undefined ? [] : [{ sql: 'i.protected = ?', values: [query.protected ? 1 : 0] }]),
    ...anyOf.filter((condition) => condition !== null),
    ...prefixes.map(prefixCondition),
    ...query.ranges.flatMap(rangeConditions),
    ...query.times.map(timeCondition),
    ...[...new Set(query.tags)].map(tagCondition),
    ...Object.entries(query.properties).map(propertyCondition),
  ];
}

/** The columns of `images` that are filtered by a value or a range, for which an index may be worth the search. */
export const filteredColumns = (query: ImageQuery): ReadonlySet<string> =>
  new Set([query.anyOf, query.prefixes ?? [], query.ranges, query.times].flat().map(({ column }) => column));

function anyOfCondition({ column, values }: ImageQuery['anyOf'][number]): Condition | null {
  const possible: SqlValue[] = NUMERIC.has(column)
    ? values.filter((value) => /^-?\d{1,15}$/.test(value)).map(Number)
    : values.filter(isStorableText);
  if (possible.length === 0) return null;
  if (possible.length === 1) return { sql: `i.${column} = ?`, values: possible };
  return { sql: `i.${column} IN (${placeholders(possible)})`, values: possible };
}

/** The prefix is no pattern: what would be a wildcard stands for itself. */
const prefixCondition = ({ column, prefix }: NonNullable<ImageQuery['prefixes']>[number]): Condition => ({
  sql: `i.${column} LIKE ? ESCAPE '!'`,
  values: [`${prefix.replace(/[!%_]/g, '!$&')}%`],
});

function rangeConditions({ column, min, max }: ImageQuery['ranges'][number]): Condition[] {
  return [
    ...(min === undefined ? [] : [{ sql: `i.${column} >= ?`, values: [min] }]),
    ...(max === undefined ? [] : [{ sql: `i.${column} <= ?`, values: [max] }]),
  ];
}

const timeCondition = ({ column, operator, value }: ImageQuery['times'][number]): Condition => ({
  sql: `i.${column} ${comparisons[operator]} ?`,
  values: [`${value.slice(0, 10)} ${value.slice(11, 19)}`],
});

/**
 * The index by value serves both ways: to begin with the few images that have it, and to look into whether one has it,
 * without a row being read of one that has not. For MySQL, which prefers what it finds by the image; SQLite takes it
 * for a comment.
 */
const byValue = (index: string) => `/*! FORCE INDEX (${index}) */`;

const tagCondition = (tag: string): Condition => ({
  sql: `i.id IN (SELECT t.image_id FROM image_tags t ${byValue('glimpse_image_tags_value')}
    WHERE t.value = ? AND t.deleted = 0)`,
  values: [tag],
});

/** Of this very name: another one that MySQL takes for the same may be protected where this one is not. */
function propertyCondition([name, value]: [string, string]): Condition {
  const named = exactly('p.name', name);
  return {
    sql: `i.id IN (SELECT p.image_id FROM image_properties p ${byValue('glimpse_image_properties_value')}
      WHERE ${named.sql} AND p.value = ? AND p.deleted = 0)`,
    values: [...named.values, value],
  };
}

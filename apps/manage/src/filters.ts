import type { SqlValue } from '@glimpse/persistence';

/** The condition that the columns have these values, where they are given; true for none. The names are no user's. */
export function matching(columns: Readonly<Record<string, string | undefined>>): {
  readonly where: string;
  readonly values: SqlValue[];
} {
  const given = Object.entries(columns).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value }],
  );
  return {
    where: ['1 = 1', ...given.map(({ name }) => `${name} = ?`)].join(' AND '),
    values: given.map(({ value }) => value),
  };
}

import type { TableName, Tables } from './tables.js';

/** What can be bound to a `?`. Booleans are 0 and 1 in both databases: turn them yourself. */
export type SqlValue = string | number | null;

/** Runs statements that both databases understand, with `?` for every value. */
export interface SqlReader {
  query<Row extends object>(sql: string, values?: readonly SqlValue[]): Promise<Row[]>;
}

/** A transaction: what it writes is there for others all at once, or not at all. */
export interface Transaction extends SqlReader {
  /**
   * Runs an UPDATE or DELETE and answers with the number of rows that its WHERE matched. Throws a `UniqueViolation`
   * where a key is taken.
   */
  execute(sql: string, values?: readonly SqlValue[]): Promise<number>;
  /** Adds rows. Throws a `UniqueViolation` where a key is taken. */
  insert<T extends TableName>(table: T, rows: readonly NewRow<T>[]): Promise<void>;
  /**
   * Reads rows like `query` and keeps other transactions from taking the same ones, where the database can: rows that
   * another one holds are left out. The caller still claims each row with an update that compares.
   */
  queryUnclaimed<Row extends object>(sql: string, values?: readonly SqlValue[]): Promise<Row[]>;
  /** Runs `work` when all else was done, as the last part of the transaction: what it rejects with rolls that back. */
  beforeCommit(work: () => Promise<void>): void;
  /** Runs `work` once the transaction is committed, never when it fails. */
  afterCommit(work: () => void): void;
}

/** A row to insert: all columns of the first row are set, columns that are left out take the database's default. */
export type NewRow<T extends TableName> = { readonly [C in keyof Tables[T]]?: Tables[T][C] };

/** `?, ?, ?` for an IN list. */
export const placeholders = (values: readonly unknown[]): string => values.map(() => '?').join(', ');

/** A condition on a row, with what its `?` stand for. */
export interface SqlCondition {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/**
 * Holds where the column is this text to the letter. MySQL takes the same text in another case or with other accents for
 * equal, and so would let one project pass for another; the plain comparison beside it is for the index.
 */
export const exactly = (column: string, text: string): SqlCondition => ({
  sql: `(${column} = ? AND HEX(${column}) = HEX(?))`,
  values: [text, text],
});

/**
 * A column of a table of ours that has an id of a row of Glance's, for comparing it with that. In MySQL the text of
 * Glance's tables is `utf8mb3` and ours is not: compared as they are, all of Glance's table would be read.
 */
export const glanceId = (column: string): string => `/*! CONVERT( */ ${column} /*! USING utf8mb3) */`;

/** The INSERT of some rows of a table, which all have the columns of the first. */
export function insertStatement<T extends TableName>(
  table: T,
  rows: readonly NewRow<T>[],
): { sql: string; values: SqlValue[] } {
  const columns = Object.keys(rows[0] ?? {}) as (keyof Tables[T] & string)[];
  const one = `(${placeholders(columns)})`;
  return {
    sql: `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${rows.map(() => one).join(', ')}`,
    values: rows.flatMap((row) => columns.map((column) => (row[column] ?? null) as SqlValue)),
  };
}

/** Rows in one INSERT: below SQLite's limit of variables. */
const ROWS_PER_INSERT = 200;
/** Characters in one INSERT, of at most 3 bytes each: below the packet that MariaDB takes (16 MiB). */
const CHARACTERS_PER_INSERT = 2 * 1024 * 1024;

const lengthOf = (row: object): number =>
  Object.values(row).reduce((sum: number, value) => sum + (typeof value === 'string' ? value.length : 20), 0);

/** The rows in order, as many together as one INSERT may hold; a row that is too large for that goes alone. */
export function* inStatements<Row extends object>(rows: readonly Row[]): Generator<readonly Row[]> {
  let some: Row[] = [];
  let length = 0;
  for (const row of rows) {
    const more = lengthOf(row);
    if (some.length === ROWS_PER_INSERT || (some.length > 0 && length + more > CHARACTERS_PER_INSERT)) {
      yield some;
      some = [];
      length = 0;
    }
    some.push(row);
    length += more;
  }
  if (some.length > 0) yield some;
}

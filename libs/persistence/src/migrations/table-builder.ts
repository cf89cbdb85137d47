import { type QueryRunner, Table, type TableColumnOptions, TableIndex } from 'typeorm';

export interface IndexDefinition {
  readonly name: string;
  readonly columns: readonly string[];
  readonly isUnique?: boolean;
}

export interface TableDefinition {
  readonly name: string;
  readonly columns: readonly TableColumnOptions[];
  readonly indexes?: readonly IndexDefinition[];
  readonly foreignKeys?: readonly {
    columns: readonly string[];
    table: string;
    references: readonly string[];
  }[];
  /** Columns that hold 0 or 1 and nothing else. */
  readonly flags?: readonly string[];
  /** MySQL's default character set and collation of the table. */
  readonly charset: string;
}

const isSqlite = (runner: QueryRunner) => runner.dataSource.options.type === 'better-sqlite3';

export const varchar = (name: string, length: number, more: Partial<TableColumnOptions> = {}) => ({
  name,
  type: 'varchar',
  length: String(length),
  isNullable: false,
  ...more,
});
export const column = (name: string, type: string, more: Partial<TableColumnOptions> = {}) => ({
  name,
  type,
  isNullable: false,
  ...more,
});
export const flag = (name: string, more: Partial<TableColumnOptions> = {}) =>
  column(name, 'tinyint', { length: '1', ...more });
export const nullable = { isNullable: true } as const;
export const primary = { isPrimary: true } as const;
/** A generated number; SQLite generates no other type. */
export const generatedId = (runner: QueryRunner, type: 'int' | 'bigint', name = 'id') =>
  column(name, isSqlite(runner) ? 'integer' : type, {
    isPrimary: true,
    isGenerated: true,
    generationStrategy: 'increment',
  });
/** An image's id: MySQL's collation ignores case, so SQLite's does too. */
export const imageId = (runner: QueryRunner, name: string, more: Partial<TableColumnOptions> = {}) =>
  varchar(name, 36, { ...(isSqlite(runner) ? { collation: 'NOCASE' } : {}), ...more });

/** Creates the table with all that belongs to it; leaves one that is there as it is. */
export async function createTable(runner: QueryRunner, definition: TableDefinition): Promise<void> {
  if (await runner.hasTable(definition.name)) return;
  const { name, flags = [], foreignKeys = [], indexes = [] } = definition;
  const table = new Table({
    name,
    columns: [...definition.columns],
    indices: indexes.map(({ name: indexName, columns, isUnique = false }) => ({
      name: indexName,
      columnNames: [...columns],
      isUnique,
    })),
    foreignKeys: foreignKeys.map((key, index) => ({
      name: `${name}_ibfk_${index + 1}`,
      columnNames: [...key.columns],
      referencedTableName: key.table,
      referencedColumnNames: [...key.references],
    })),
    // TypeORM leaves checks out on MySQL: below.
    checks: flags.map((flagName) => ({
      name: `${name}_${flagName}_check`,
      expression: `${flagName} IN (0, 1)`,
    })),
    // TypeORM has no option for the character set of a table; it puts the engine last.
    engine: `InnoDB DEFAULT CHARSET=${definition.charset}`,
  });
  await runner.createTable(table, false, true, true);
  if (isSqlite(runner)) return;
  for (const check of table.checks)
    await runner.query(`ALTER TABLE ${name} ADD CONSTRAINT ${check.name} CHECK (${check.expression})`);
}

/**
 * Adds an index unless one of that name is there. `prefixes` bounds how much of a column is indexed, which MySQL asks
 * for on a text column and SQLite does not know.
 */
export async function addIndex(
  runner: QueryRunner,
  tableName: string,
  index: IndexDefinition & { readonly prefixes?: Readonly<Record<string, number>> },
): Promise<void> {
  if (isSqlite(runner)) {
    const table = await runner.getTable(tableName);
    if (table?.indices.some((existing) => existing.name === index.name) === true) return;
    await runner.createIndex(
      tableName,
      new TableIndex({
        name: index.name,
        columnNames: [...index.columns],
        isUnique: index.isUnique ?? false,
      }),
    );
    return;
  }
  const existing: unknown = await runner.query(
    'SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ?',
    [tableName, index.name],
  );
  if (Array.isArray(existing) && existing.length > 0) return;
  const columns = index.columns.map((name) => {
    const prefix = index.prefixes?.[name];
    return prefix === undefined ? name : `${name}(${prefix})`;
  });
  await runner.query(
    `CREATE ${index.isUnique === true ? 'UNIQUE ' : ''}INDEX ${index.name} ON ${tableName} (${columns.join(', ')})`,
  );
}

import type { DataSource } from 'typeorm';
import { isConnectionLoss, translateDatabaseError } from './database-errors.js';
import { parseDatabaseUrl } from './database-url.js';
import type { MysqlTlsOptions } from './mysql-tls.js';
import { migrate, pendingMigrations } from './migrate.js';
import type { SqlReader, SqlValue } from './sql.js';
import { UnitOfWork } from './unit-of-work.js';

export type Dialect = 'sqlite' | 'mysql';

export interface DatabaseOptions {
  /** `sqlite:<path>` or `mysql://user:password@host:port/database`. */
  readonly url: string;
  /** MySQL connections. */
  readonly poolSize: number;
  readonly connectTimeoutMs: number;
  /** Of MySQL; none unless given. */
  readonly tls?: MysqlTlsOptions;
}

/**
 * An open database. `query` reads what is committed, outside of any transaction; everything is written through
 * `unitOfWork`. Errors are `ServiceError`s with `DATABASE_UNAVAILABLE` where the database can't be reached.
 */
export class Database implements SqlReader {
  readonly unitOfWork: UnitOfWork;

  private constructor(
    readonly dialect: Dialect,
    private readonly writer: DataSource,
    private readonly reader: DataSource,
  ) {
    this.unitOfWork = new UnitOfWork(dialect, writer);
  }

  /** Connects; the caller closes it. Does not touch the schema: see `migrate`. */
  static async open(options: DatabaseOptions): Promise<Database> {
    const address = parseDatabaseUrl(options.url);
    try {
      // Only the driver that is needed is loaded: it costs some of the start.
      if (address.dialect === 'mysql') {
        const { mysqlDataSource } = await import('./mysql-data-source.js');
        const source = await mysqlDataSource(address, options).initialize();
        return new Database('mysql', source, source);
      }
      const { sqliteDataSource } = await import('./sqlite-data-source.js');
      // The writer first: it makes the file.
      const writer = await sqliteDataSource(address.path, 'write').initialize();
      const reader = await sqliteDataSource(address.path, 'read').initialize();
      return new Database('sqlite', writer, reader);
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  async query<Row extends object>(sql: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    try {
      return await this.reader.query<Row[]>(sql, [...values]);
    } catch (error) {
      if (!isConnectionLoss(error)) throw translateDatabaseError(error);
    }
    // A pooled connection may have died unnoticed while it was idle. Reading again is harmless.
    try {
      return await this.reader.query<Row[]>(sql, [...values]);
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  /**
   * Brings the schema up to this release and answers with the names of the migrations that ran. Safe when several
   * processes start at once. Throws a `SchemaError` where the schema is newer, or of a Glance that we don't know.
   */
  migrate(): Promise<string[]> {
    return migrate(this.dialect, this.writer);
  }

  /** The migrations that `migrate` would run. */
  pendingMigrations(): Promise<string[]> {
    return pendingMigrations(this.writer);
  }

  async close(): Promise<void> {
    await this.unitOfWork.idle();
    if (this.reader !== this.writer) await this.reader.destroy();
    await this.writer.destroy();
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import { isLockConflict, translateDatabaseError } from './database-errors.js';
import { SchemaError } from './migrations/schema-error.js';
import { MIGRATIONS_TABLE } from './migrations/index.js';

/** Names of locks are the server's, not the database's, and at most 64 characters. MySQL 9.7 has no SHA1() any more. */
const LOCK_NAME = "CONCAT('glimpse:', SHA2(DATABASE(), 224))";
const LOCK_TIMEOUT_SECONDS = 300;
const LOCK_RETRY_MS = 50;

/** The names of the migrations that the database has and this release does not know. */
async function findUnknown(source: DataSource, executor: MigrationExecutor): Promise<string[]> {
  const known = new Set(source.migrations.map((migration) => migration.name ?? migration.constructor.name));
  const executed = await executor.getExecutedMigrations();
  return executed.map((migration) => migration.name).filter((name) => !known.has(name));
}

async function runPending(source: DataSource, runner: QueryRunner): Promise<string[]> {
  const executor = new MigrationExecutor(source, runner);
  const unknown = await findUnknown(source, executor);
  if (unknown.length > 0)
    throw new SchemaError(
      `The database's schema is newer than this release: ${MIGRATIONS_TABLE} has ${unknown.join(', ')}`,
    );
  // Not in a transaction of TypeORM's: SQLite is in ours already, and MySQL commits with every DDL statement.
  executor.transaction = 'none';
  const run = await executor.executePendingMigrations();
  return run.map((migration) => migration.name);
}

async function beginImmediate(runner: QueryRunner): Promise<void> {
  const end = Date.now() + LOCK_TIMEOUT_SECONDS * 1000;
  for (;;) {
    try {
      await runner.query('BEGIN IMMEDIATE');
      return;
    } catch (error) {
      if (!isLockConflict(error) || Date.now() > end) throw error;
    }
    await sleep(LOCK_RETRY_MS);
  }
}

/** Holds every other process off the schema while `work` runs. On SQLite it happens all or not at all. */
async function exclusively<T>(
  dialect: 'sqlite' | 'mysql',
  runner: QueryRunner,
  work: () => Promise<T>,
): Promise<T> {
  if (dialect === 'sqlite') {
    await beginImmediate(runner);
    try {
      const result = await work();
      await runner.query('COMMIT');
      return result;
    } catch (error) {
      await runner.query('ROLLBACK');
      throw error;
    }
  }
  const rows: unknown = await runner.query(`SELECT GET_LOCK(${LOCK_NAME}, ${LOCK_TIMEOUT_SECONDS}) AS taken`);
  if (!Array.isArray(rows) || Number(Reflect.get(Object(rows[0]), 'taken')) !== 1)
    throw new SchemaError(`Another process has been migrating for ${LOCK_TIMEOUT_SECONDS} s`);
  try {
    return await work();
  } finally {
    await runner.query(`SELECT RELEASE_LOCK(${LOCK_NAME})`);
  }
}

/** See `Database.migrate`. */
export async function migrate(dialect: 'sqlite' | 'mysql', source: DataSource): Promise<string[]> {
  const runner = source.createQueryRunner();
  try {
    return await exclusively(dialect, runner, () => runPending(source, runner));
  } catch (error) {
    throw translateDatabaseError(error);
  } finally {
    if (dialect === 'mysql') await runner.release();
  }
}

/** See `Database.pendingMigrations`. */
export async function pendingMigrations(source: DataSource): Promise<string[]> {
  const pending = await new MigrationExecutor(source).getPendingMigrations();
  return pending.map((migration) => migration.name);
}

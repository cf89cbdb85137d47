import Sqlite from 'libsql';
import mysql from 'mysql2';
import { DataSource, type Logger } from 'typeorm';
import type { DatabaseAddress } from './database-url.js';
import { MIGRATIONS_TABLE, migrations } from './migrations/index.js';

/** Waiting in SQLite stops the whole process, so it is short; who wants the lock tries again. */
const SQLITE_BUSY_TIMEOUT_MS = 100;

const say = () => undefined;
/** TypeORM says nothing: whoever calls logs the outcome, with credentials cut out. */
const silence: Logger = {
  logQuery: say,
  logQueryError: say,
  logQuerySlow: say,
  logSchemaBuild: say,
  logMigration: say,
  log: say,
};

interface Pragmas {
  pragma(statement: string): unknown;
}

/** A DataSource on one SQLite connection. */
export function sqliteDataSource(path: string, access: 'write' | 'read'): DataSource {
  return new DataSource({
    type: 'better-sqlite3',
    driver: Sqlite,
    database: path,
    enableWAL: true,
    logger: silence,
    migrations,
    migrationsTableName: MIGRATIONS_TABLE,
    prepareDatabase: (connection: Pragmas) => {
      connection.pragma(`busy_timeout = ${SQLITE_BUSY_TIMEOUT_MS}`);
      // NORMAL may lose the last commits when the power fails, and an answered request is a promise.
      connection.pragma('synchronous = FULL');
      if (access === 'read') connection.pragma('query_only = ON');
    },
  });
}

interface SessionConnection {
  query(sql: string): unknown;
}

/** What every session is set to, whatever the server's own defaults are. */
const SESSION = [
  // Refuses what does not fit instead of cutting it off.
  "SET SESSION sql_mode = 'TRADITIONAL'",
  // A transaction that waited for a row reads that row as it is now, and locks no gaps.
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
];

/** mysql2 with pools whose connections run {@link SESSION} before anything else. */
const driver = {
  ...mysql,
  createPool: (options: mysql.PoolOptions) => {
    const pool = mysql.createPool(options);
    pool.on('connection', (connection: SessionConnection) => {
      for (const statement of SESSION) connection.query(statement);
    });
    return pool;
  },
};

export function mysqlDataSource(
  address: Extract<DatabaseAddress, { dialect: 'mysql' }>,
  options: { poolSize: number; connectTimeoutMs: number },
): DataSource {
  return new DataSource({
    type: 'mysql',
    driver,
    host: address.host,
    port: address.port,
    username: address.user,
    password: address.password,
    database: address.database,
    charset: 'utf8mb4',
    timezone: 'Z',
    dateStrings: true,
    // Numbers come back as numbers where they are exact.
    supportBigNumbers: true,
    bigNumberStrings: false,
    poolSize: options.poolSize,
    connectTimeout: options.connectTimeoutMs,
    logger: silence,
    migrations,
    migrationsTableName: MIGRATIONS_TABLE,
  });
}

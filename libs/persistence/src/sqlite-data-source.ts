import Sqlite from 'libsql';
import { DataSource } from 'typeorm';
import { migrationOptions } from './migrations/index.js';
import { silentLogger } from './silent-logger.js';

/** Waiting in SQLite stops the whole process, so it is short; who wants the lock tries again. */
const SQLITE_BUSY_TIMEOUT_MS = 100;

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
    logger: silentLogger,
    ...migrationOptions,
    prepareDatabase: (connection: Pragmas) => {
      connection.pragma(`busy_timeout = ${SQLITE_BUSY_TIMEOUT_MS}`);
      // NORMAL may lose the last commits when the power fails, and an answered request is a promise.
      connection.pragma('synchronous = FULL');
      if (access === 'read') connection.pragma('query_only = ON');
    },
  });
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource, QueryRunner } from 'typeorm';
import {
  UniqueViolation,
  isConnectionLoss,
  isLockConflict,
  translateDatabaseError,
} from './database-errors.js';
import type { NewRow, SqlValue, Transaction } from './sql.js';
import { inStatements, insertStatement } from './sql.js';
import type { TableName } from './tables.js';

const MAX_ATTEMPTS = 8;
const RETRY_BASE_MS = 5;

/** The one way to write. */
export class UnitOfWork {
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly dialect: 'sqlite' | 'mysql',
    private readonly source: DataSource,
  ) {}

  /**
   * Runs `work` in a transaction: commits when it resolves, rolls back when it rejects, and passes its outcome on.
   * MySQL may sacrifice a transaction to another one; then `work` runs again, a bounded number of times, so it must
   * have no effect but through `tx`. SQLite has one writer: there transactions wait for each other.
   *
   * Throws `DATABASE_UNAVAILABLE` where the database went away; whether a commit that was under way counts is then
   * unknown, so callers must be able to ask again.
   */
  run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    if (this.dialect === 'mysql') return this.runWithRetries(work);
    const turn = this.last.then(() => this.runWithRetries(work));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when no queued transaction is left. */
  async idle(): Promise<void> {
    await this.last;
  }

  private async runWithRetries<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.runOnce(work);
      } catch (error) {
        if (!isLockConflict(error) || attempt === MAX_ATTEMPTS) throw translateDatabaseError(error);
      }
      await sleep(RETRY_BASE_MS * 2 ** attempt * (0.5 + Math.random()));
    }
  }

  private async runOnce<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const runner = await this.begin();
    const tx = new RunningTransaction(this.dialect, runner);
    let result: T;
    try {
      result = await work(tx);
      await tx.finish();
      await runner.query('COMMIT');
    } catch (error) {
      // Where this fails too the connection is gone, and with it the transaction.
      await runner.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      await this.release(runner);
    }
    tx.committed();
    return result;
  }

  /** Nothing was done yet, so a pooled connection that died while it was idle is replaced by another one. */
  private async begin(): Promise<QueryRunner> {
    try {
      return await this.beginOn(this.source.createQueryRunner());
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      return this.beginOn(this.source.createQueryRunner());
    }
  }

  private async beginOn(runner: QueryRunner): Promise<QueryRunner> {
    try {
      // IMMEDIATE takes the write lock now: a transaction that reads first could not get it later.
      await runner.query(this.dialect === 'sqlite' ? 'BEGIN IMMEDIATE' : 'START TRANSACTION');
      return runner;
    } catch (error) {
      await this.release(runner);
      throw error;
    }
  }

  /** SQLite's runner is the connection itself and lives on. */
  private async release(runner: QueryRunner): Promise<void> {
    if (this.dialect === 'mysql') await runner.release();
  }
}

class RunningTransaction implements Transaction {
  private readonly last: (() => Promise<void>)[] = [];
  private readonly hooks: (() => void)[] = [];

  constructor(
    private readonly dialect: 'sqlite' | 'mysql',
    private readonly runner: QueryRunner,
  ) {}

  async query<Row extends object>(sql: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    return (await this.runner.query(sql, [...values])) as Row[];
  }

  queryUnclaimed<Row extends object>(sql: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    return this.query(this.dialect === 'mysql' ? `${sql} FOR UPDATE SKIP LOCKED` : sql, values);
  }

  async execute(sql: string, values: readonly SqlValue[] = []): Promise<number> {
    try {
      const result = await this.runner.query(sql, [...values], true);
      return result.affected ?? 0;
    } catch (error) {
      throw unlessKeyIsTaken(error);
    }
  }

  async insert<T extends TableName>(table: T, rows: readonly NewRow<T>[]): Promise<void> {
    for (const some of inStatements(rows)) {
      const { sql, values } = insertStatement(table, some);
      try {
        await this.runner.query(sql, values);
      } catch (error) {
        throw unlessKeyIsTaken(error);
      }
    }
  }

  beforeCommit(work: () => Promise<void>): void {
    this.last.push(work);
  }

  async finish(): Promise<void> {
    for (const work of this.last) await work();
  }

  afterCommit(work: () => void): void {
    this.hooks.push(work);
  }

  committed(): void {
    for (const hook of this.hooks) hook();
  }
}

/** A `UniqueViolation` for a key that is taken. Other errors keep their code: it decides whether the transaction runs again. */
function unlessKeyIsTaken(error: unknown): unknown {
  const translated = translateDatabaseError(error);
  return translated instanceof UniqueViolation ? translated : error;
}

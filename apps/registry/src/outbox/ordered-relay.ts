import {
  Database,
  type SqlCondition,
  type TableName,
  type Transaction,
  placeholders,
} from '@glimpse/persistence';
import type { Clock } from '../clock.js';
import type { SingletonLeases } from '../leases/singleton-leases.js';
import type { RegistrySettings } from '../registry-settings.js';
import { Repeater } from '../repeater.js';

const PRUNE_EVERY_MS = 60_000;
export const PRUNE_BATCH = 1_000;

/** What every relayed table has; `sent_at` is null until the row was sent. */
interface RelayedRow {
  readonly id: number;
  readonly subject: string;
}

/** Where a relay finds what it sends. */
export interface Relayed {
  /** For the log. */
  readonly name: string;
  /** Lets one registry do it at a time. */
  readonly lease: string;
  readonly table: TableName & ('outbox' | 'notifications');
  /** Of the rows that are sent. */
  readonly columns: string;
  readonly batchSize: number;
  /** How long what was sent is kept. */
  readonly retentionMs: number;
}

export interface RelayParts {
  readonly database: Database;
  readonly leases: SingletonLeases;
  readonly clock: Clock;
  readonly settings: RegistrySettings;
}

/** What became of a row: it counts as sent, or it keeps back those behind it. */
export type Sending =
  | { readonly isDone: true }
  | {
      readonly isDone: false;
      readonly error: unknown;
      /** False where it was no fault of this row, whatever the row: there is no connection. */
      readonly isTried: boolean;
    };

/** A row that could not be sent. */
export interface Failure<Row> {
  readonly row: Row;
  readonly error: unknown;
  readonly isTried: boolean;
}

function groupBySubject<Row extends RelayedRow>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.subject);
    if (group === undefined) groups.set(row.subject, [row]);
    else group.push(row);
  }
  return groups;
}

/**
 * Sends what was written beside changes in their transactions: every row at least once, those of one subject in the
 * order of their commits. One registry does it at a time.
 */
export abstract class OrderedRelay<Row extends RelayedRow> {
  protected readonly repeater: Repeater;
  private heldUntil = 0;
  private nextPrune = 0;

  protected constructor(
    protected readonly relayed: Relayed,
    protected readonly parts: RelayParts,
  ) {
    this.repeater = new Repeater(relayed.name, parts.settings.logger, () => this.relay());
  }

  /** Sends one, or answers with what holds it up. Never rejects. */
  protected abstract send(row: Row): Promise<Sending>;

  /** How many wait, of one batch; 0 where another registry counts. */
  protected abstract measured(waiting: number): void;

  /** Does what belongs to sending rows, in the transaction that marks them as sent. */
  protected whenSent(_tx: Transaction, _rows: readonly Row[]): Promise<void> {
    return Promise.resolve();
  }

  /** Which rows may be sent. */
  protected get due(): SqlCondition {
    return { sql: 'sent_at IS NULL', values: [] };
  }

  /** Rejects where nothing more is to be sent now; there is at least one failure. */
  protected whenFailed(failures: readonly Failure<Row>[]): Promise<void> {
    return Promise.reject(failures[0]?.error);
  }

  /** Whether this registry is the one that sends, as far as it knows. */
  protected get isHolder(): boolean {
    return this.heldUntil > this.parts.clock.now();
  }

  /** Sends what is left, once, and lets another registry go on. */
  async stop(): Promise<void> {
    await this.repeater.stop();
    try {
      await this.relay();
      await this.parts.leases.release(this.relayed.lease);
    } catch (error) {
      const { logger } = this.parts.settings;
      logger.warn({ err: error }, `${this.relayed.name}: something is left for another registry`);
    }
  }

  /** Sends all that is due, if it is up to this registry; rejects where some of it could not be sent. */
  async relay(): Promise<void> {
    if (!(await this.isMine())) return;
    let isMore = true;
    while (isMore && (await this.isMine())) isMore = await this.sendBatch();
    await this.pruneNowAndThen();
  }

  /** Renews the lease when half of it has passed. */
  private async isMine(): Promise<boolean> {
    const { leases, clock } = this.parts;
    const now = clock.now();
    if (now + leases.leaseMs / 2 < this.heldUntil) return true;
    const isMine = await leases.hold(this.relayed.lease);
    this.heldUntil = isMine ? now + leases.leaseMs : 0;
    // The registry that sends counts; what this one counted once would stand for ever.
    if (!isMine) this.measured(0);
    return isMine;
  }

  /** Whether there may be more. */
  private async sendBatch(): Promise<boolean> {
    const { table, columns, batchSize } = this.relayed;
    const { sql, values } = this.due;
    const rows = await this.parts.database.query<Row>(
      `SELECT ${columns} FROM ${table} WHERE ${sql} ORDER BY id LIMIT ${batchSize}`,
      values,
    );
    this.measured(rows.length);
    if (rows.length > 0) await this.sendRows(rows);
    return rows.length === batchSize;
  }

  /** All subjects at once. */
  protected async sendRows(rows: readonly Row[]): Promise<void> {
    const bySubject = groupBySubject(rows);
    const outcomes = await Promise.all([...bySubject.values()].map((group) => this.sendInOrder(group)));
    const sent = outcomes.flatMap((outcome) => outcome.sent);
    await this.markSent(sent);
    this.measured(rows.length - sent.length);
    const failures = outcomes.flatMap(({ failure }) => failure ?? []);
    if (failures.length > 0) await this.whenFailed(failures);
  }

  /** Stops at the first that fails, so that none overtakes it. */
  private async sendInOrder(rows: readonly Row[]): Promise<{ sent: Row[]; failure?: Failure<Row> }> {
    const sent: Row[] = [];
    for (const row of rows) {
      const sending = await this.send(row);
      if (!sending.isDone) return { sent, failure: { row, error: sending.error, isTried: sending.isTried } };
      sent.push(row);
    }
    return { sent };
  }

  private async markSent(rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return;
    await this.parts.database.unitOfWork.run(async (tx) => {
      await tx.execute(`UPDATE ${this.relayed.table} SET sent_at = ? WHERE id IN (${placeholders(rows)})`, [
        this.parts.clock.now(),
        ...rows.map(({ id }) => id),
      ]);
      await this.whenSent(tx, rows);
    });
  }

  /** Prunes, once a minute where there is not more. */
  protected async pruneNowAndThen(): Promise<void> {
    const now = this.parts.clock.now();
    if (now < this.nextPrune) return;
    const isMore = await this.prune(now);
    this.nextPrune = isMore ? now : now + PRUNE_EVERY_MS;
  }

  /** Forgets what was sent long ago, a batch of it; whether there may be more. */
  protected async prune(now: number): Promise<boolean> {
    const { table, retentionMs } = this.relayed;
    return this.remove(`SELECT id FROM ${table} WHERE sent_at < ? ORDER BY sent_at LIMIT ${PRUNE_BATCH}`, [
      now - retentionMs,
    ]).then((removed) => removed === PRUNE_BATCH);
  }

  /** Removes the rows that the statement finds; answers how many. */
  protected async remove(select: string, values: readonly number[]): Promise<number> {
    const found = await this.parts.database.query<Pick<RelayedRow, 'id'>>(select, [...values]);
    if (found.length > 0)
      await this.parts.database.unitOfWork.run((tx) =>
        tx.execute(
          `DELETE FROM ${this.relayed.table} WHERE id IN (${placeholders(found)})`,
          found.map(({ id }) => id),
        ),
      );
    return found.length;
  }
}

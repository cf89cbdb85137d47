import { createHash, randomUUID } from 'node:crypto';
import { type SqlReader, type StoreFindingRow, type Transaction, placeholders } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import type { HeldRun } from './held-runs.js';

/** What is found, and where. */
export type Finding = Omit<StoreFindingRow, 'id' | 'first_seen_at' | 'last_seen_at'>;

/** Tells what lies at a URL from all else in its store. */
export const hashOfObject = (url: string): string => hash('object', url);
/** Tells what a row promises from all else. */
export const hashOfRow = (source: string, rowId: string): string => hash('row', source, rowId);

const hash = (...parts: string[]) => createHash('sha256').update(JSON.stringify(parts)).digest('hex');

/** Where stores and the database disagree, and since when. */
@Injectable()
export class StoreFindings {
  constructor(private readonly clock: Clock) {}

  /**
   * Notes that it was seen. Answers with since when it is so, and whether that is news: another version of an object counts
   * from now.
   */
  async note(
    tx: Transaction,
    finding: Finding,
    seenAt: number,
  ): Promise<{ readonly since: number; readonly isNew: boolean }> {
    const now = this.clock.now();
    const [known] = await tx.query<StoreFindingRow>(
      'SELECT id, kind, version, first_seen_at FROM store_findings WHERE store_id = ? AND subject_hash = ?',
      [finding.store_id, finding.subject_hash],
    );
    if (known === undefined) {
      await tx.insert('store_findings', [
        { id: randomUUID(), ...finding, first_seen_at: now, last_seen_at: seenAt },
      ]);
      return { since: now, isNew: true };
    }
    const isSame = known.kind === finding.kind && known.version === finding.version;
    const since = isSame ? known.first_seen_at : now;
    await tx.execute(
      `UPDATE store_findings SET kind = ?, size = ?, expected_size = ?, version = ?, modified_at = ?, is_known = ?,
              first_seen_at = ?, last_seen_at = ? WHERE id = ?`,
      [
        finding.kind,
        finding.size,
        finding.expected_size,
        finding.version,
        finding.modified_at,
        finding.is_known,
        since,
        seenAt,
        known.id,
      ],
    );
    return { since, isNew: !isSame };
  }

  /** Since when each is so that was noted, by its hash. */
  async sinceWhen(
    sql: SqlReader,
    storeId: string,
    hashes: readonly string[],
  ): Promise<ReadonlyMap<string, number>> {
    if (hashes.length === 0) return new Map();
    const rows = await sql.query<Pick<StoreFindingRow, 'subject_hash' | 'first_seen_at'>>(
      `SELECT subject_hash, first_seen_at FROM store_findings
        WHERE store_id = ? AND subject_hash IN (${placeholders(hashes)})`,
      [storeId, ...hashes],
    );
    return new Map(rows.map((row) => [row.subject_hash, row.first_seen_at]));
  }

  /** Says that those that were noted before are still there, where nobody can tell at the moment what they are. */
  async keep(
    tx: Transaction,
    { storeId, seenAt }: Pick<HeldRun, 'storeId' | 'seenAt'>,
    hashes: readonly string[],
  ): Promise<void> {
    if (hashes.length === 0) return;
    await tx.execute(
      `UPDATE store_findings SET last_seen_at = ? WHERE store_id = ? AND subject_hash IN (${placeholders(hashes)})`,
      [seenAt, storeId, ...hashes],
    );
  }

  /** They are so no more. */
  async forget(tx: Transaction, storeId: string, hashes: readonly string[]): Promise<void> {
    if (hashes.length === 0) return;
    await tx.execute(
      `DELETE FROM store_findings WHERE store_id = ? AND subject_hash IN (${placeholders(hashes)})`,
      [storeId, ...hashes],
    );
  }

  /** Forgets what was not seen since `startedAt`. */
  async forgetUnseen(tx: Transaction, storeId: string, startedAt: number): Promise<void> {
    await tx.execute('DELETE FROM store_findings WHERE store_id = ? AND last_seen_at < ?', [
      storeId,
      startedAt,
    ]);
  }
}

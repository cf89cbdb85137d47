import { type FoundData, type SetAsideData, imageIdOfKey, withoutCredentials } from '@glimpse/contracts';
import { counter, metricNames } from '@glimpse/observability';
import type { QuarantinedObjectRow, SqlReader, Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { RegistrySettings } from '../registry-settings.js';
import type { HeldRun } from './held-runs.js';

/** By which run something is seen, and when. */
type Seen = Pick<HeldRun, 'storeId' | 'seenAt'>;

const setAsides = counter({
  name: metricNames.storeSetAside,
  help: 'Data that was set aside, put back where it was, or removed for good.',
  labelNames: ['store', 'outcome'],
});

/** What was set aside. The stores have the data, and its names; the rows say since when, and what is wanted. */
@Injectable()
export class Quarantine {
  constructor(
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** A worker may move it from now on. */
  async begin(
    tx: Transaction,
    moved: { id: string; storeId: string; seenAt: number; data: FoundData; since: number | undefined },
  ): Promise<void> {
    const { id, data, since } = moved;
    await this.insert(tx, moved, { ...data, id, origin: data.url }, 'moving', since);
  }

  find(sql: SqlReader, id: string): Promise<QuarantinedObjectRow | undefined> {
    return sql
      .query<QuarantinedObjectRow>('SELECT * FROM quarantined_objects WHERE id = ?', [id])
      .then(([row]) => row);
  }

  /** It is there: whoever moved it may have died before it could say so, and the row may be lost. */
  async see(tx: Transaction, run: Seen, entry: SetAsideData): Promise<QuarantinedObjectRow> {
    const now = this.clock.now();
    const row = await this.find(tx, entry.id);
    if (row === undefined) await this.insert(tx, run, entry, 'held');
    else if (row.state === 'moving') {
      await tx.execute(
        "UPDATE quarantined_objects SET state = 'held', quarantined_at = ?, seen_at = ? WHERE id = ?",
        [now, run.seenAt, entry.id],
      );
      this.tell(tx, run.storeId, entry, 'set-aside');
    } else
      await tx.execute('UPDATE quarantined_objects SET seen_at = ? WHERE id = ?', [run.seenAt, entry.id]);
    const seen = await this.find(tx, entry.id);
    if (seen === undefined) throw new Error(`What is set aside as ${entry.id} has no row`);
    return seen;
  }

  /** What an operator wanted of it can't be done. */
  async hold(tx: Transaction, { seenAt }: Seen, id: string): Promise<void> {
    await tx.execute("UPDATE quarantined_objects SET state = 'held', seen_at = ? WHERE id = ?", [seenAt, id]);
  }

  /** It is not set aside any more. */
  async end(
    tx: Transaction,
    id: string,
    outcome: 'put-back' | 'discarded' | 'gone' | 'removed',
  ): Promise<void> {
    const row = await this.find(tx, id);
    if (row === undefined) return;
    await tx.execute('DELETE FROM quarantined_objects WHERE id = ?', [id]);
    if (outcome !== 'gone') this.tell(tx, row.store_id, { id, origin: row.url, size: row.size }, outcome);
  }

  /** Forgets what nobody has seen since `startedAt`: it was taken out of the store by hand. */
  async forgetUnseen(tx: Transaction, storeId: string, startedAt: number): Promise<void> {
    await tx.execute('DELETE FROM quarantined_objects WHERE store_id = ? AND seen_at < ?', [
      storeId,
      startedAt,
    ]);
  }

  private async insert(
    tx: Transaction,
    { storeId, seenAt }: Seen,
    entry: SetAsideData,
    state: 'moving' | 'held',
    since?: number,
  ): Promise<void> {
    const now = this.clock.now();
    await tx.insert('quarantined_objects', [
      {
        id: entry.id,
        store_id: storeId,
        url: entry.origin,
        name: entry.name,
        image_id: entry.key === null ? null : (imageIdOfKey(entry.key) ?? null),
        size: entry.size,
        state,
        orphan_since: since ?? now,
        quarantined_at: now,
        seen_at: seenAt,
      },
    ]);
  }

  private tell(
    tx: Transaction,
    store: string,
    { id, origin, size }: Pick<SetAsideData, 'id' | 'origin' | 'size'>,
    outcome: 'set-aside' | 'put-back' | 'discarded' | 'removed',
  ): void {
    tx.afterCommit(() => {
      setAsides.inc({ store, outcome });
      this.settings.logger.warn(
        { store, url: withoutCredentials(origin), bytes: size, quarantine: id, outcome },
        'data that belongs to no image',
      );
    });
  }
}

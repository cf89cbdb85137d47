import type { RequestOf, ResponseOf, SetAsideAction, registryReconcile } from '@glimpse/contracts';
import type { ReconcilePayload, SetAsideData } from '@glimpse/contracts';
import {
  Database,
  type LiveLocation,
  type QuarantinedObjectRow,
  type Transaction,
  requestChecks,
} from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { DataClaims, type Judgement, type Subject } from './data-claims.js';
import { HeldRuns } from './held-runs.js';
import { Quarantine } from './quarantine.js';
import { StoreFindings, hashOfObject } from './store-findings.js';

type Calls = typeof registryReconcile;

const originOf = ({ origin, key, partialOf }: SetAsideData): Subject => ({ url: origin, key, partialOf });

/** Decides what becomes of what was set aside: whatever an image refers to goes back to where it was. */
@Injectable()
export class QuarantineService {
  constructor(
    private readonly database: Database,
    private readonly runs: HeldRuns,
    private readonly claims: DataClaims,
    private readonly findings: StoreFindings,
    private readonly quarantine: Quarantine,
    private readonly clock: Clock,
  ) {}

  async settle({ id, outcome, entry, ...lease }: RequestOf<Calls['settle']>): Promise<{ putBack: boolean }> {
    if (entry === null || outcome !== 'set-aside') {
      await this.database.unitOfWork.run(async (tx) => {
        const { storeId } = await this.runs.hold(tx, lease);
        const row = await this.quarantine.find(tx, id);
        if (row !== undefined) await this.findings.forget(tx, storeId, [hashOfObject(row.url)]);
        await this.quarantine.end(tx, id, outcome === 'removed' ? 'removed' : 'gone');
      });
      return { putBack: false };
    }
    const { mentioned, storeId } = await this.lookForMentions(lease, [entry]);
    const putBack = await this.database.unitOfWork.run(async (tx) => {
      const run = await this.runs.hold(tx, lease);
      const [judgement] = await this.claims.judge(tx, storeId, [originOf(entry)]);
      await this.findings.forget(tx, storeId, [hashOfObject(entry.origin)]);
      await this.quarantine.see(tx, run, entry);
      return judgement?.claim === 'claimed' || mentioned.has(entry);
    });
    return { putBack };
  }

  async review({ entries, ...lease }: RequestOf<Calls['review']>): Promise<ResponseOf<Calls['review']>> {
    const { mentioned, storeId } = await this.lookForMentions(lease, entries);
    const actions = await this.database.unitOfWork.run(async (tx) => {
      const run = await this.runs.hold(tx, lease);
      const judgements = await this.claims.judge(tx, storeId, entries.map(originOf));
      const decided: SetAsideAction[] = [];
      for (const [index, entry] of entries.entries()) {
        const row = await this.quarantine.see(tx, run, entry);
        decided.push(this.decide(run, row, judgements[index]!, mentioned.has(entry)));
      }
      return decided;
    });
    return { actions };
  }

  async conclude({ id, outcome, ...lease }: RequestOf<Calls['conclude']>): Promise<{ next: SetAsideAction }> {
    return this.database.unitOfWork.run(async (tx) => {
      const run = await this.runs.hold(tx, lease);
      const row = await this.quarantine.find(tx, id);
      if (outcome !== 'occupied') {
        await this.quarantine.end(tx, id, outcome);
        if (outcome === 'put-back' && row !== undefined) await this.haveVerified(tx, row.url);
        return { next: 'keep' };
      }
      // An image has other data in that place by now, so this belongs to nobody.
      await this.quarantine.hold(tx, run, id);
      const isOver = row !== undefined && (row.state === 'discard' || this.isOver(run, row));
      return { next: isOver ? 'discard' : 'keep' };
    });
  }

  private decide(
    run: ReconcilePayload,
    row: QuarantinedObjectRow,
    { claim, isKnown }: Judgement,
    isMentioned: boolean,
  ): SetAsideAction {
    if (row.state === 'put-back' || claim === 'claimed' || isMentioned) return 'put-back';
    if (claim === 'busy') return 'keep';
    // Another deployment in the same place may have set it aside: what it is kept for is its own business.
    const isOurs = isKnown || run.soleOwner;
    return row.state === 'discard' || (isOurs && this.isOver(run, row)) ? 'discard' : 'keep';
  }

  /** It was away, and may not be what the image had there last. */
  private async haveVerified(tx: Transaction, url: string): Promise<void> {
    const locations = await tx.query<Pick<LiveLocation, 'id' | 'image_id'>>(
      'SELECT id, image_id FROM image_locations WHERE value = ? AND deleted = 0',
      [url],
    );
    await requestChecks(tx, locations, this.clock.now());
  }

  private isOver(run: ReconcilePayload, row: QuarantinedObjectRow): boolean {
    return run.discard && row.quarantined_at <= this.clock.now() - run.keepMs;
  }

  /** Reads every location, so not while others wait for the database. */
  private async lookForMentions(
    lease: { jobId: string; leaseToken: string },
    entries: readonly SetAsideData[],
  ) {
    const { storeId } = await this.database.unitOfWork.run((tx: Transaction) => this.runs.hold(tx, lease));
    const subjects = entries.map((entry) => ({ ...originOf(entry), entry }));
    const found = await this.claims.findMentioned(this.database, storeId, subjects);
    return { storeId, mentioned: new Set([...found].map(({ entry }) => entry)) };
  }
}

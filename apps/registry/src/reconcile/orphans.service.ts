import { randomUUID } from 'node:crypto';
import {
  type FoundData,
  type ReconcilePayload,
  type RequestOf,
  type ResponseOf,
  type registryReconcile,
} from '@glimpse/contracts';
import { Database, type Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { DataClaims, type Judgement } from './data-claims.js';
import { type HeldRun, HeldRuns, type RunLease } from './held-runs.js';
import { Quarantine } from './quarantine.js';
import { type Finding, StoreFindings, hashOfObject } from './store-findings.js';

type Examine = (typeof registryReconcile)['examine'];

interface Examined {
  readonly index: number;
  readonly data: FoundData;
  readonly judgement: Judgement;
}

/** Decides what of a store belongs to nobody, and what of that is set aside. */
@Injectable()
export class OrphansService {
  constructor(
    private readonly database: Database,
    private readonly runs: HeldRuns,
    private readonly claims: DataClaims,
    private readonly findings: StoreFindings,
    private readonly quarantine: Quarantine,
    private readonly clock: Clock,
  ) {}

  async examine({ entries, ...lease }: RequestOf<Examine>): Promise<ResponseOf<Examine>> {
    const { run, examined, due } = await this.database.unitOfWork.run((tx) => this.note(tx, lease, entries));
    const foreign = examined
      .filter(({ judgement }) => judgement.claim === 'foreign')
      .map(({ index }) => index);
    if (due.length === 0) return { setAside: [], foreign };
    const mentioned = await this.claims.findMentioned(
      this.database,
      run.storeId,
      due.map(({ data }) => data),
    );
    const setAside = await this.database.unitOfWork.run((tx) => this.release(tx, lease, due, mentioned));
    return { setAside, foreign };
  }

  /** Notes what is nobody's, and what turned out to be somebody's. */
  private async note(tx: Transaction, lease: RunLease, entries: readonly FoundData[]) {
    const run = await this.runs.hold(tx, lease);
    const judgements = await this.claims.judge(tx, run.storeId, entries);
    const examined = entries.map((data, index): Examined => ({
      index,
      data,
      judgement: judgements[index]!,
    }));
    const hashesOf = (claim: Judgement['claim']) =>
      examined.filter(({ judgement }) => judgement.claim === claim).map(({ data }) => hashOfObject(data.url));
    await this.findings.forget(tx, run.storeId, hashesOf('claimed'));
    await this.findings.keep(tx, run, hashesOf('busy'));
    const due: Examined[] = [];
    for (const one of examined)
      if (one.judgement.claim === 'orphan') {
        const { since } = await this.noteOrphan(tx, run, one);
        if (this.isDue(run, one, since)) due.push(one);
      }
    return { run, examined, due };
  }

  private noteOrphan(tx: Transaction, { storeId, seenAt }: HeldRun, { data, judgement }: Examined) {
    const found: Finding = {
      store_id: storeId,
      subject_hash: hashOfObject(data.url),
      kind: 'orphan',
      url: data.url,
      image_id: judgement.imageId ?? null,
      is_known: judgement.isKnown ? 1 : 0,
      size: data.size,
      expected_size: null,
      version: data.version,
      modified_at: Math.floor(data.modifiedAt),
    };
    return this.findings.note(tx, found, seenAt);
  }

  private isDue(run: ReconcilePayload, { data, judgement }: Examined, since: number): boolean {
    const graceEnded = this.clock.now() - run.graceMs;
    const isOurs = judgement.isKnown || run.soleOwner;
    // The store's clock is not ours: with a grace period both have to agree that it is over.
    const isOld = run.graceMs === 0 || (since <= graceEnded && data.modifiedAt <= graceEnded);
    return run.repair && isOurs && isOld;
  }

  /** Judges again, and gives those away to the worker that still are nobody's. */
  private async release(
    tx: Transaction,
    lease: RunLease,
    due: readonly Examined[],
    mentioned: ReadonlySet<FoundData>,
  ): Promise<{ index: number; id: string }[]> {
    const { storeId, seenAt } = await this.runs.hold(tx, lease);
    const judgements = await this.claims.judge(
      tx,
      storeId,
      due.map(({ data }) => data),
    );
    const hashes = due.map(({ data }) => hashOfObject(data.url));
    const since = await this.findings.sinceWhen(tx, storeId, hashes);
    const released: { index: number; id: string }[] = [];
    for (const [at, { index, data }] of due.entries()) {
      if (mentioned.has(data)) {
        await this.findings.forget(tx, storeId, [hashes[at]!]);
        continue;
      }
      if (judgements[at]?.claim !== 'orphan') continue;
      const id = randomUUID();
      await this.quarantine.begin(tx, { id, storeId, seenAt, data, since: since.get(hashes[at]!) });
      released.push({ index, id });
    }
    return released;
  }
}

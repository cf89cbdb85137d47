import type { Flag } from './flag.js';

/** A comparison of a store with the database. */
export interface ReconcileRunRow {
  id: string;
  job_id: string;
  store_id: string;
  /** `store` or `quarantine`. */
  scope: string;
  /** Whether orphans are set aside. */
  repairs: Flag;
  /** `running`, also while it waits for a worker, `done` or `failed`. */
  status: string;
  /** When it was asked for; from its first step on, when its last attempt began. */
  started_at: number;
  ended_at: number | null;
  /** JSON. */
  report: string | null;
  /** JSON: code and message. */
  error: string | null;
}

/** Where a store and the database disagree. */
export interface StoreFindingRow {
  id: string;
  store_id: string;
  /** Of what is found: tells it from all else in the store. */
  subject_hash: string;
  /** `orphan`, `missing` or `wrong_size`. */
  kind: string;
  url: string;
  /** The image that it is of, as far as the name or the row tells. */
  image_id: string | null;
  /** Of an orphan: whether the database has, or had, that image. */
  is_known: Flag;
  /** Bytes that are there; null where nothing is. */
  size: number | null;
  /** Bytes that the row promises. */
  expected_size: number | null;
  /** Of an orphan: another one whenever something else takes the place. */
  version: string | null;
  /** Of an orphan: when it was written, by the store's clock. */
  modified_at: number | null;
  first_seen_at: number;
  last_seen_at: number;
}

/** An orphan that was set aside, or is just being moved. */
export interface QuarantinedObjectRow {
  id: string;
  store_id: string;
  /** Where it lay. */
  url: string;
  name: string;
  image_id: string | null;
  size: number;
  /** `moving`, `held`, or what an operator wants: `put-back` or `discard`. */
  state: string;
  orphan_since: number;
  quarantined_at: number;
  /** When a worker last saw it, or moved it. */
  seen_at: number;
}

/** The tables of the comparison of the stores with the database, by name. */
export interface ReconcileTables {
  reconcile_runs: ReconcileRunRow;
  store_findings: StoreFindingRow;
  quarantined_objects: QuarantinedObjectRow;
}

import type { MigrationInterface, QueryRunner } from 'typeorm';
import { giveStatistics } from './sqlite-statistics.js';
import {
  type TableDefinition,
  column,
  createTable,
  flag,
  nullable,
  primary,
  varchar,
} from './table-builder.js';

/** URLs and ids are compared exactly. */
const CHARSET = 'utf8mb4 COLLATE=utf8mb4_bin';

const runs: TableDefinition = {
  name: 'reconcile_runs',
  charset: CHARSET,
  columns: [
    varchar('id', 36, primary),
    varchar('job_id', 36),
    varchar('store_id', 64),
    varchar('scope', 16),
    flag('repairs'),
    varchar('status', 16),
    column('started_at', 'bigint'),
    column('ended_at', 'bigint', nullable),
    column('report', 'mediumtext', nullable),
    column('error', 'text', nullable),
  ],
  flags: ['repairs'],
  indexes: [
    { name: 'ix_reconcile_runs_store_id', columns: ['store_id', 'scope', 'started_at'] },
    { name: 'ix_reconcile_runs_started_at', columns: ['started_at'] },
  ],
};

const findings: TableDefinition = {
  name: 'store_findings',
  charset: CHARSET,
  columns: [
    varchar('id', 36, primary),
    varchar('store_id', 64),
    varchar('subject_hash', 64),
    varchar('kind', 16),
    column('url', 'text'),
    varchar('image_id', 36, nullable),
    flag('is_known'),
    column('size', 'bigint', nullable),
    column('expected_size', 'bigint', nullable),
    column('version', 'text', nullable),
    column('modified_at', 'bigint', nullable),
    column('first_seen_at', 'bigint'),
    column('last_seen_at', 'bigint'),
  ],
  flags: ['is_known'],
  indexes: [
    { name: 'ix_store_findings_subject', columns: ['store_id', 'subject_hash'], isUnique: true },
    { name: 'ix_store_findings_kind', columns: ['store_id', 'kind', 'last_seen_at'] },
  ],
};

const quarantine: TableDefinition = {
  name: 'quarantined_objects',
  charset: CHARSET,
  columns: [
    varchar('id', 36, primary),
    varchar('store_id', 64),
    column('url', 'text'),
    column('name', 'text'),
    varchar('image_id', 36, nullable),
    column('size', 'bigint'),
    varchar('state', 16),
    column('orphan_since', 'bigint'),
    column('quarantined_at', 'bigint'),
    column('seen_at', 'bigint'),
  ],
  indexes: [{ name: 'ix_quarantined_objects_store_id', columns: ['store_id', 'seen_at'] }],
};

/** What comparing the stores with the database needs: what was found, since when, and what was set aside. */
export class Reconcile1700000000012 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of [runs, findings, quarantine]) await createTable(runner, table);
    await giveStatistics(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { name } of [quarantine, findings, runs]) await runner.dropTable(name);
  }
}

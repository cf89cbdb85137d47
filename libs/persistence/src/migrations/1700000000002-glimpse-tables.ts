import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  type TableDefinition,
  column,
  createTable,
  generatedId,
  nullable,
  primary,
  varchar,
} from './table-builder.js';

/** Ids and tokens are compared exactly, and messages of errors may hold any character. */
const CHARSET = 'utf8mb4 COLLATE=utf8mb4_bin';

const outbox = (runner: QueryRunner): TableDefinition => ({
  name: 'outbox',
  charset: CHARSET,
  columns: [
    generatedId(runner, 'bigint'),
    varchar('event_id', 36),
    varchar('name', 100),
    varchar('subject', 100),
    column('payload', 'mediumtext'),
    varchar('traceparent', 64, nullable),
    column('occurred_at', 'bigint'),
    column('sent_at', 'bigint', nullable),
  ],
  indexes: [{ name: 'ix_outbox_sent_at', columns: ['sent_at', 'id'] }],
});

const jobs: TableDefinition = {
  name: 'jobs',
  charset: CHARSET,
  columns: [
    varchar('id', 36, primary),
    varchar('kind', 32),
    varchar('status', 16),
    varchar('image_id', 36, nullable),
    column('payload', 'mediumtext'),
    column('attempt', 'int'),
    column('due_at', 'bigint'),
    varchar('lease_owner', 100, nullable),
    varchar('lease_token', 36, nullable),
    column('progress', 'text', nullable),
    column('last_error', 'text', nullable),
    column('created_at', 'bigint'),
    column('updated_at', 'bigint'),
  ],
  indexes: [
    { name: 'ix_jobs_status_due_at', columns: ['status', 'due_at'] },
    { name: 'ix_jobs_status_updated_at', columns: ['status', 'updated_at'] },
    { name: 'ix_jobs_image_id', columns: ['image_id'] },
    { name: 'ix_jobs_lease_owner', columns: ['lease_owner'] },
  ],
};

const leases: TableDefinition = {
  name: 'leases',
  charset: CHARSET,
  columns: [
    varchar('kind', 16, primary),
    varchar('id', 100, primary),
    varchar('owner', 100),
    varchar('state', 16),
    column('expires_at', 'bigint', nullable),
    varchar('image_id', 36, nullable),
    varchar('store_id', 64, nullable),
    column('details', 'text', nullable),
    column('created_at', 'bigint'),
  ],
  indexes: [
    { name: 'ix_leases_owner', columns: ['owner', 'kind'] },
    { name: 'ix_leases_expires_at', columns: ['kind', 'expires_at'] },
  ],
};

/** Never used; a later migration removes it. */
export const processedMessages: TableDefinition = {
  name: 'processed_messages',
  charset: CHARSET,
  columns: [
    varchar('consumer', 64, primary),
    varchar('message_id', 64, primary),
    column('processed_at', 'bigint'),
  ],
  indexes: [{ name: 'ix_processed_messages_processed_at', columns: ['processed_at'] }],
};

/** The tables of our own. Times are epoch milliseconds. */
export class GlimpseTables1700000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of [outbox(runner), jobs, leases, processedMessages]) await createTable(runner, table);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { name } of [processedMessages, leases, jobs, outbox(runner)]) await runner.dropTable(name);
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  type TableDefinition,
  column,
  createTable,
  flag,
  generatedId,
  nullable,
  varchar,
} from './table-builder.js';

/** Projects, URLs and ids are compared exactly. */
const CHARSET = 'utf8mb4 COLLATE=utf8mb4_bin';

const webhooks = (runner: QueryRunner): TableDefinition => ({
  name: 'webhooks',
  charset: CHARSET,
  columns: [
    generatedId(runner, 'bigint', 'seq'),
    varchar('id', 36),
    varchar('project_id', 255),
    varchar('user_id', 255, nullable),
    column('url', 'text'),
    varchar('host', 255),
    varchar('description', 255, nullable),
    column('event_types', 'text'),
    varchar('secret', 255),
    varchar('previous_secret', 255, nullable),
    column('previous_until', 'bigint', nullable),
    flag('is_enabled'),
    varchar('disabled_reason', 16, nullable),
    column('disabled_at', 'bigint', nullable),
    column('failing_since', 'bigint', nullable),
    column('paused_until', 'bigint', nullable),
    column('served_at', 'bigint'),
    column('created_at', 'bigint'),
    column('updated_at', 'bigint'),
    column('deleted_at', 'bigint', nullable),
  ],
  flags: ['is_enabled'],
  indexes: [
    { name: 'ix_webhooks_id', columns: ['id'], isUnique: true },
    { name: 'ix_webhooks_project_id', columns: ['project_id', 'seq'] },
    { name: 'ix_webhooks_served_at', columns: ['is_enabled', 'served_at'] },
    { name: 'ix_webhooks_deleted_at', columns: ['deleted_at'] },
  ],
});

const deliveries = (runner: QueryRunner): TableDefinition => ({
  name: 'webhook_deliveries',
  charset: CHARSET,
  columns: [
    generatedId(runner, 'bigint', 'seq'),
    varchar('id', 36),
    varchar('webhook_id', 36),
    varchar('event_id', 36),
    varchar('type', 100),
    varchar('subject', 100),
    column('payload', 'mediumtext'),
    varchar('status', 16),
    column('attempt', 'int'),
    column('due_at', 'bigint'),
    varchar('lease_owner', 100, nullable),
    varchar('lease_token', 36, nullable),
    column('last_status', 'int', nullable),
    column('last_error', 'text', nullable),
    column('last_attempt_at', 'bigint', nullable),
    column('created_at', 'bigint'),
    column('ended_at', 'bigint', nullable),
  ],
  indexes: [
    { name: 'ix_webhook_deliveries_id', columns: ['id'], isUnique: true },
    { name: 'ix_webhook_deliveries_event_id', columns: ['event_id', 'webhook_id'], isUnique: true },
    { name: 'ix_webhook_deliveries_turn', columns: ['webhook_id', 'status', 'due_at', 'seq'] },
    { name: 'ix_webhook_deliveries_page', columns: ['webhook_id', 'seq'] },
    { name: 'ix_webhook_deliveries_due_at', columns: ['status', 'due_at'] },
    { name: 'ix_webhook_deliveries_ended_at', columns: ['ended_at'] },
  ],
});

/** Webhooks of projects, and the messages to them. */
export class Webhooks1700000000020 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of [webhooks(runner), deliveries(runner)]) await createTable(runner, table);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of [deliveries(runner), webhooks(runner)]) await runner.dropTable(table.name);
  }
}

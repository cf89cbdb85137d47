import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  type TableDefinition,
  addIndex,
  column,
  createTable,
  generatedId,
  primary,
  varchar,
} from './table-builder.js';

const CHARSET = 'utf8mb4 COLLATE=utf8mb4_bin';

const events = (runner: QueryRunner): TableDefinition => ({
  name: 'webhook_events',
  charset: CHARSET,
  columns: [
    generatedId(runner, 'bigint', 'seq'),
    varchar('event_id', 36),
    varchar('name', 100),
    varchar('subject', 100),
    column('payload', 'mediumtext'),
    column('occurred_at', 'bigint'),
    column('attempt', 'int', { default: 0 }),
    column('due_at', 'bigint', { default: 0 }),
  ],
  indexes: [{ name: 'ix_webhook_events_event_id', columns: ['event_id'], isUnique: true }],
});

const locks: TableDefinition = {
  name: 'webhook_locks',
  charset: CHARSET,
  columns: [varchar('name', 32, primary)],
};

const bySource = {
  name: 'ix_webhook_deliveries_source',
  columns: ['webhook_id', 'status', 'source_project'],
};

/** Events are told to webhooks apart from publishing them, and what other projects bring about is bounded. */
export class WebhookEvents1700000000021 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of [events(runner), locks]) await createTable(runner, table);
    for (const name of ['claims', 'events']) {
      const [row] = (await runner.query('SELECT name FROM webhook_locks WHERE name = ?', [name])) as object[];
      if (row === undefined) await runner.query('INSERT INTO webhook_locks (name) VALUES (?)', [name]);
    }
    if (!(await runner.hasColumn('webhook_deliveries', 'source_project')))
      await runner.query('ALTER TABLE webhook_deliveries ADD COLUMN source_project varchar(255) NULL');
    await addIndex(runner, 'webhook_deliveries', bySource);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('webhook_deliveries', bySource.name);
    await runner.dropColumn('webhook_deliveries', 'source_project');
    for (const { name } of [locks, events(runner)]) await runner.dropTable(name);
  }
}

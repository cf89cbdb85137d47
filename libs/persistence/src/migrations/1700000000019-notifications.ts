import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  type TableDefinition,
  column,
  createTable,
  generatedId,
  nullable,
  varchar,
} from './table-builder.js';

const notifications = (runner: QueryRunner): TableDefinition => ({
  name: 'notifications',
  charset: 'utf8mb4 COLLATE=utf8mb4_bin',
  columns: [
    generatedId(runner, 'bigint'),
    varchar('message_id', 36),
    varchar('event_type', 64),
    varchar('priority', 8),
    varchar('subject', 100),
    column('payload', 'mediumtext'),
    column('occurred_at', 'bigint'),
    column('attempts', 'int', { default: 0 }),
    column('sent_at', 'bigint', nullable),
  ],
  indexes: [
    { name: 'ix_notifications_sent_at', columns: ['sent_at', 'id'] },
    { name: 'ix_notifications_message_id', columns: ['message_id'], isUnique: true },
  ],
});

/** The notifications of oslo.messaging that are to be sent; empty where nobody is notified. */
export class Notifications1700000000019 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner, notifications(runner));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('notifications');
  }
}

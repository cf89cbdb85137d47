import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addIndex } from './table-builder.js';

const index = { name: 'ix_notifications_held_until', columns: ['sent_at', 'held_until'] };

/** A notification that can't be sent waits by itself. */
export class HeldNotifications1700000000022 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    if (!(await runner.hasColumn('notifications', 'held_until')))
      await runner.query('ALTER TABLE notifications ADD COLUMN held_until bigint NULL');
    await addIndex(runner, 'notifications', index);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('notifications', index.name);
    await runner.dropColumn('notifications', 'held_until');
  }
}

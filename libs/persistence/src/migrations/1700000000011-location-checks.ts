import type { MigrationInterface, QueryRunner } from 'typeorm';
import { giveStatistics } from './sqlite-statistics.js';
import { type TableDefinition, column, createTable, nullable, primary, varchar } from './table-builder.js';

/** What is known of the data at a location, by the id of Glance's row; without a foreign key, since rows are purged. */
const locationChecks: TableDefinition = {
  name: 'location_checks',
  charset: 'utf8mb4 COLLATE=utf8mb4_bin',
  columns: [
    column('location_id', 'bigint', primary),
    varchar('image_id', 36),
    varchar('state', 16),
    varchar('reason', 255, nullable),
    column('damaged_at', 'bigint', nullable),
    column('intact_at', 'bigint', nullable),
    column('checked_at', 'bigint', nullable),
    column('turn_at', 'bigint'),
    column('requested_at', 'bigint', nullable),
    column('queued_at', 'bigint', nullable),
  ],
  indexes: [
    { name: 'ix_location_checks_turn_at', columns: ['turn_at'] },
    { name: 'ix_location_checks_requested_at', columns: ['requested_at'] },
    { name: 'ix_location_checks_damaged_at', columns: ['damaged_at'] },
  ],
};

/** What verification needs: when which copy was looked at, and what came of it. */
export class LocationChecks1700000000011 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner, locationChecks);
    await giveStatistics(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('location_checks');
  }
}

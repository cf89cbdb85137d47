import type { MigrationInterface, QueryRunner } from 'typeorm';
import { GLANCE_CHARSET } from './glance-image-tables.js';
import { giveStatistics } from './sqlite-statistics.js';
import { type TableDefinition, addIndex, column, createTable, primary, varchar } from './table-builder.js';

/** A project whose usage is being measured and changed; one transaction at a time holds its row. */
const quotaLocks: TableDefinition = {
  name: 'quota_locks',
  // As Glance declares `images.owner`, so that both take the same texts for the same project.
  charset: GLANCE_CHARSET,
  columns: [varchar('project', 255, primary), column('held_at', 'bigint')],
};

const indexes = [
  { table: 'images', name: 'glimpse_images_usage', columns: ['owner', 'deleted', 'status', 'size'] },
  { table: 'leases', name: 'ix_leases_image_id', columns: ['image_id', 'kind', 'state'] },
];

/** What quotas of projects need: a lock for each project, what uploads announced, and indexes to add both up. */
export class Quotas1700000000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner, quotaLocks);
    if (!(await runner.hasColumn('leases', 'size')))
      await runner.query('ALTER TABLE leases ADD COLUMN size bigint NULL');
    for (const { table, ...index } of indexes) await addIndex(runner, table, index);
    await giveStatistics(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { table, name } of indexes) await runner.dropIndex(table, name);
    await runner.dropColumn('leases', 'size');
    await runner.dropTable('quota_locks');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';
import { giveStatistics } from './sqlite-statistics.js';
import { type TableDefinition, column, createTable, nullable, primary, varchar } from './table-builder.js';

/** The data of an image that was staged and not imported yet. */
const stagedData: TableDefinition = {
  name: 'staged_data',
  charset: 'utf8mb4 COLLATE=utf8mb4_bin',
  columns: [
    varchar('image_id', 36, primary),
    column('url', 'text'),
    column('metadata', 'text', nullable),
    column('size', 'bigint'),
    column('staged_at', 'bigint'),
  ],
};

/** What staging needs: where the data is. */
export class StagedData1700000000009 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner, stagedData);
    await giveStatistics(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('staged_data');
  }
}

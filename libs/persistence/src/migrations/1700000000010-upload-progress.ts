import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far uploads have come; a job has a column for it already. */
export class UploadProgress1700000000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    if (!(await runner.hasColumn('leases', 'progress')))
      await runner.query('ALTER TABLE leases ADD COLUMN progress text NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('leases', 'progress');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';
import { glanceId } from '../sql.js';
import { processedMessages } from './1700000000002-glimpse-tables.js';
import {
  type TableDefinition,
  addIndex,
  column,
  createTable,
  nullable,
  primary,
  varchar,
} from './table-builder.js';

const snapshotRequests: TableDefinition = {
  name: 'snapshot_requests',
  // Ids of requests and projects are compared exactly.
  charset: 'utf8mb4 COLLATE=utf8mb4_bin',
  columns: [
    varchar('project_id', 255, primary),
    varchar('request_id', 255, primary),
    varchar('fingerprint', 64, nullable),
    varchar('instance_id', 255, nullable),
    varchar('image_id', 36, nullable),
    varchar('task_id', 36, nullable),
    varchar('status', 16),
    column('reply_to', 'mediumtext', nullable),
    column('error', 'text', nullable),
    column('data', 'text', nullable),
    column('created_at', 'bigint'),
    column('updated_at', 'bigint'),
  ],
  indexes: [
    { name: 'ix_snapshot_requests_image_id', columns: ['image_id'] },
    { name: 'ix_snapshot_requests_status', columns: ['status', 'updated_at'] },
  ],
};

/** By which projects have their turn at the jobs that are due: all of it is read from the index. */
const turns = { name: 'ix_jobs_turns', columns: ['status', 'project_id', 'due_at', 'kind'] };

/**
 * What snapshots need: the requests by their ids, and whose a job is. The table that was meant for messages which come twice was
 * never used: the requests are it.
 */
export class SnapshotRequests1700000000016 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createTable(runner, snapshotRequests);
    if (!(await runner.hasColumn('jobs', 'project_id')))
      await runner.query("ALTER TABLE jobs ADD COLUMN project_id varchar(255) NOT NULL DEFAULT ''");
    await runner.query(
      `UPDATE jobs SET project_id = COALESCE(
          (SELECT i.owner FROM images i WHERE i.id = ${glanceId('jobs.image_id')}), '')
        WHERE status IN ('queued', 'running') AND project_id = ''`,
    );
    await addIndex(runner, 'jobs', turns);
    await runner.dropTable('processed_messages', true);
  }

  async down(runner: QueryRunner): Promise<void> {
    await createTable(runner, processedMessages);
    await runner.dropIndex('jobs', turns.name);
    await runner.dropColumn('jobs', 'project_id');
    await runner.dropTable(snapshotRequests.name);
  }
}

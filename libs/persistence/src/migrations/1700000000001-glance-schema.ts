import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { imageTables } from './glance-image-tables.js';
import { metadefTables } from './glance-metadef-tables.js';
import { SchemaError } from './schema-error.js';
import { createTable } from './table-builder.js';

/** The revision of Glance's schema that the tables here are. */
const REVISION = '2024_1_contract01';

/**
 * Glance's tables (spec/data-model.md section 1). A database that Glance made is adopted: its tables stay as they
 * are, so that Glance can go on with them.
 */
export class GlanceSchema1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const revision = await findRevision(runner);
    if (revision !== undefined && revision !== REVISION)
      throw new SchemaError(
        `This is a Glance database at revision ${revision}; bring it to ${REVISION} with "glance-manage db sync" first`,
      );
    for (const table of [...imageTables(runner), ...metadefTables(runner)]) await createTable(runner, table);
    // Last: a start that died half way finds no revision and goes on.
    if (revision === undefined) await noteRevision(runner);
  }

  /** Glance's data is never dropped. */
  async down(): Promise<void> {}
}

async function findRevision(runner: QueryRunner): Promise<string | undefined> {
  if (!(await runner.hasTable('alembic_version'))) return undefined;
  const rows = (await runner.query('SELECT version_num FROM alembic_version')) as { version_num: string }[];
  return rows.length === 0 ? undefined : rows.map((row) => row.version_num).join(', ');
}

/** Lets Glance take the database over. */
async function noteRevision(runner: QueryRunner): Promise<void> {
  if (!(await runner.hasTable('alembic_version')))
    await runner.createTable(
      new Table({
        name: 'alembic_version',
        columns: [{ name: 'version_num', type: 'varchar', length: '32', isPrimary: true }],
      }),
    );
  await runner.query('INSERT INTO alembic_version (version_num) VALUES (?)', [REVISION]);
}

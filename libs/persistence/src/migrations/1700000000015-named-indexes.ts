import type { MigrationInterface, QueryRunner } from 'typeorm';
import { giveStatistics } from './sqlite-statistics.js';
import { addIndex } from './table-builder.js';

/** The tables of what belongs to an image that is read with it. */
const TABLES = ['image_properties', 'image_tags', 'image_locations'];

/**
 * Glance's own; an operator may have dropped them, the longer ones of the image's id being there, but reading an image
 * names them.
 */
export class NamedIndexes1700000000015 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of TABLES)
      await addIndex(runner, table, { name: `ix_${table}_image_id`, columns: ['image_id'] });
    await giveStatistics(runner);
  }

  /** Glance's indexes stay. */
  async down(): Promise<void> {}
}

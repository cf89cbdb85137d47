import type { MigrationInterface, QueryRunner } from 'typeorm';
import { giveStatistics } from './sqlite-statistics.js';
import { addIndex } from './table-builder.js';

/** MySQL indexes this much of a URL: what a URL may have at most that a client gives. */
const URL_PREFIX = 255;

const index = {
  name: 'glimpse_image_locations_value',
  columns: ['value'],
  prefixes: { value: URL_PREFIX },
};

/** Finds out who else refers to data that is to be removed. */
export class LocationIndex1700000000006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await addIndex(runner, 'image_locations', index);
    await giveStatistics(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('image_locations', index.name);
  }
}

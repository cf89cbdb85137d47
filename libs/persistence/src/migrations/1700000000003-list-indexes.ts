import type { MigrationInterface, QueryRunner } from 'typeorm';
import { giveStatistics } from './sqlite-statistics.js';
import { addIndex } from './table-builder.js';

/** MySQL indexes this much of a property's value. */
const VALUE_PREFIX = 64;

const indexes = [
  { table: 'images', name: 'glimpse_images_page', columns: ['deleted', 'os_hidden', 'created_at', 'id'] },
  { table: 'images', name: 'glimpse_images_owner', columns: ['owner', 'deleted', 'created_at', 'id'] },
  {
    table: 'images',
    name: 'glimpse_images_visibility',
    columns: ['visibility', 'deleted', 'created_at', 'id'],
  },
  { table: 'images', name: 'glimpse_images_name', columns: ['name', 'deleted'] },
  { table: 'images', name: 'glimpse_images_status', columns: ['status', 'deleted_at'] },
  {
    table: 'image_members',
    name: 'glimpse_image_members_member',
    columns: ['member', 'deleted', 'status', 'image_id'],
  },
  {
    table: 'image_properties',
    name: 'glimpse_image_properties_value',
    columns: ['name', 'value', 'image_id'],
    prefixes: { value: VALUE_PREFIX },
  },
  { table: 'image_tags', name: 'glimpse_image_tags_value', columns: ['value', 'image_id'] },
];

/** What Glance's own indexes leave slow (spec/data-model.md section 4). Glance is not disturbed by them. */
export class ListIndexes1700000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const { table, ...index } of indexes) await addIndex(runner, table, index);
    await giveStatistics(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { table, name } of indexes) await runner.dropIndex(table, name);
  }
}

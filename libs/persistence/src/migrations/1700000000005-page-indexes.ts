import type { MigrationInterface, QueryRunner } from 'typeorm';
import { giveStatistics } from './sqlite-statistics.js';
import { addIndex } from './table-builder.js';

const SORT_KEYS = [
  'created_at',
  'updated_at',
  'name',
  'status',
  'size',
  'disk_format',
  'container_format',
  'id',
];

/**
 * Images of one visibility in the order of each sort key, ties broken as lists do. The status, which every list looks
 * at, is in each of them, so that no row is read to find the images of a page; so are the size and the protection, which
 * many images have in common, for no list by them to read thousands of rows.
 */
const ordered = SORT_KEYS.map((key) => ({
  name: `glimpse_images_by_${key}`,
  columns: [
    ...new Set([
      'visibility',
      'deleted',
      'os_hidden',
      key,
      ...(key === 'id' ? [] : ['created_at']),
      'id',
      'status',
      'size',
      'protected',
    ]),
  ],
}));

/** What a project owns, with all that a list of it is filtered and sorted by, so that no row is read for it. */
const own = {
  name: 'glimpse_images_own',
  columns: [
    'owner',
    'deleted',
    'os_hidden',
    'created_at',
    'id',
    'visibility',
    'status',
    'name',
    'size',
    'disk_format',
    'container_format',
    'updated_at',
    'protected',
  ],
};

/** Glance's own; an operator may have dropped them, but our statements name them. */
const named = ['created_at', 'updated_at'].map((key) => ({ name: `${key}_image_idx`, columns: [key] }));

/** Of the release before; the new ones do all that they did. */
const superseded = [
  { name: 'glimpse_images_page', columns: ['deleted', 'os_hidden', 'created_at', 'id'] },
  { name: 'glimpse_images_owner', columns: ['owner', 'deleted', 'created_at', 'id'] },
  { name: 'glimpse_images_visibility', columns: ['visibility', 'deleted', 'created_at', 'id'] },
  { name: 'glimpse_images_name', columns: ['name', 'deleted'] },
];

/** Lets every page of a list be read in order from an index, whatever it is sorted by (docs/adr/0007). */
export class PageIndexes1700000000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const index of [...named, ...ordered, own]) await addIndex(runner, 'images', index);
    for (const { name } of superseded) await runner.dropIndex('images', name);
    await giveStatistics(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const index of superseded) await addIndex(runner, 'images', index);
    for (const { name } of [...ordered, own]) await runner.dropIndex('images', name);
    await giveStatistics(runner);
  }
}

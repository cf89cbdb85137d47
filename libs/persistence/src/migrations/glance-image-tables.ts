import type { QueryRunner } from 'typeorm';
import {
  type TableDefinition,
  column,
  flag,
  generatedId,
  imageId,
  nullable,
  primary,
  varchar,
} from './table-builder.js';

/** Glance declares all its tables so; hence no character beyond the BMP. */
export const GLANCE_CHARSET = 'utf8mb3';

const lifetime = () => [
  column('created_at', 'datetime'),
  column('updated_at', 'datetime', nullable),
  column('deleted_at', 'datetime', nullable),
  flag('deleted'),
];

/** The tables of images, tasks and the cache, parents first. */
export const imageTables = (runner: QueryRunner): TableDefinition[] => [
  images(runner),
  ...imageChildren(runner),
  ...tasks(runner),
  ...cache(runner),
];

const images = (runner: QueryRunner): TableDefinition => ({
  name: 'images',
  charset: GLANCE_CHARSET,
  columns: [
    imageId(runner, 'id', primary),
    varchar('name', 255, nullable),
    varchar('disk_format', 20, nullable),
    varchar('container_format', 20, nullable),
    column('size', 'bigint', nullable),
    column('virtual_size', 'bigint', nullable),
    varchar('status', 30),
    column('visibility', 'enum', {
      enum: ['private', 'public', 'shared', 'community'],
      default: "'shared'",
    }),
    varchar('checksum', 32, nullable),
    varchar('os_hash_algo', 64, nullable),
    varchar('os_hash_value', 128, nullable),
    column('min_disk', 'int'),
    column('min_ram', 'int'),
    varchar('owner', 255, nullable),
    flag('protected', { default: '0' }),
    flag('os_hidden', { default: '0' }),
    ...lifetime(),
  ],
  flags: ['protected', 'deleted'],
  indexes: [
    { name: 'checksum_image_idx', columns: ['checksum'] },
    { name: 'visibility_image_idx', columns: ['visibility'] },
    { name: 'ix_images_deleted', columns: ['deleted'] },
    { name: 'owner_image_idx', columns: ['owner'] },
    { name: 'created_at_image_idx', columns: ['created_at'] },
    { name: 'updated_at_image_idx', columns: ['updated_at'] },
    { name: 'os_hidden_image_idx', columns: ['os_hidden'] },
    { name: 'os_hash_value_image_idx', columns: ['os_hash_value'] },
  ],
});

/** A table of what belongs to an image. */
const imageChild = (
  runner: QueryRunner,
  name: string,
  own: Pick<TableDefinition, 'columns' | 'indexes' | 'flags'>,
): TableDefinition => ({
  name,
  charset: GLANCE_CHARSET,
  columns: [generatedId(runner, 'int'), imageId(runner, 'image_id'), ...own.columns, ...lifetime()],
  flags: [...(own.flags ?? []), 'deleted'],
  foreignKeys: [{ columns: ['image_id'], table: 'images', references: ['id'] }],
  indexes: [{ name: `ix_${name}_image_id`, columns: ['image_id'] }, ...(own.indexes ?? [])],
});

const imageChildren = (runner: QueryRunner): TableDefinition[] => [
  imageChild(runner, 'image_properties', {
    columns: [varchar('name', 255), column('value', 'text', nullable)],
    indexes: [
      { name: 'ix_image_properties_deleted', columns: ['deleted'] },
      { name: 'ix_image_properties_image_id_name', columns: ['image_id', 'name'], isUnique: true },
    ],
  }),
  imageChild(runner, 'image_locations', {
    columns: [
      column('value', 'text'),
      column('meta_data', 'text', nullable),
      varchar('status', 30, { default: "'active'" }),
    ],
    indexes: [{ name: 'ix_image_locations_deleted', columns: ['deleted'] }],
  }),
  imageChild(runner, 'image_members', {
    columns: [varchar('member', 255), flag('can_share'), varchar('status', 20, { default: "'pending'" })],
    flags: ['can_share'],
    indexes: [
      { name: 'ix_image_members_deleted', columns: ['deleted'] },
      { name: 'ix_image_members_image_id_member', columns: ['image_id', 'member'] },
      {
        name: 'image_members_image_id_member_deleted_at_key',
        columns: ['image_id', 'member', 'deleted_at'],
        isUnique: true,
      },
    ],
  }),
  imageChild(runner, 'image_tags', {
    columns: [varchar('value', 255)],
    indexes: [{ name: 'ix_image_tags_image_id_tag_value', columns: ['image_id', 'value'] }],
  }),
];

const tasks = (runner: QueryRunner): TableDefinition[] => [
  {
    name: 'tasks',
    charset: GLANCE_CHARSET,
    columns: [
      varchar('id', 36, primary),
      varchar('type', 30),
      varchar('status', 30),
      varchar('owner', 255),
      column('expires_at', 'datetime', nullable),
      imageId(runner, 'image_id', nullable),
      varchar('request_id', 64, nullable),
      varchar('user_id', 64, nullable),
      ...lifetime(),
    ],
    flags: ['deleted'],
    indexes: ['type', 'status', 'owner', 'deleted', 'image_id', 'updated_at'].map((name) => ({
      name: `ix_tasks_${name}`,
      columns: [name],
    })),
  },
  {
    name: 'task_info',
    charset: GLANCE_CHARSET,
    columns: [
      varchar('task_id', 36, primary),
      column('input', 'text', nullable),
      column('result', 'text', nullable),
      column('message', 'text', nullable),
    ],
    foreignKeys: [{ columns: ['task_id'], table: 'tasks', references: ['id'] }],
  },
];

const cache = (runner: QueryRunner): TableDefinition[] => [
  {
    name: 'node_reference',
    charset: GLANCE_CHARSET,
    columns: [generatedId(runner, 'bigint', 'node_reference_id'), varchar('node_reference_url', 255)],
    indexes: [
      {
        name: 'uq_node_reference_node_reference_url',
        columns: ['node_reference_url'],
        isUnique: true,
      },
    ],
  },
  {
    name: 'cached_images',
    charset: GLANCE_CHARSET,
    columns: [
      generatedId(runner, 'bigint'),
      imageId(runner, 'image_id'),
      column('last_accessed', 'datetime'),
      column('last_modified', 'datetime'),
      column('size', 'bigint'),
      column('hits', 'int'),
      varchar('checksum', 32, nullable),
      column('node_reference_id', 'bigint'),
    ],
    foreignKeys: [
      { columns: ['node_reference_id'], table: 'node_reference', references: ['node_reference_id'] },
    ],
    indexes: [
      { name: 'node_reference_id', columns: ['node_reference_id'] },
      {
        name: 'ix_cached_images_image_id_node_reference_id',
        columns: ['image_id', 'node_reference_id'],
        isUnique: true,
      },
    ],
  },
];

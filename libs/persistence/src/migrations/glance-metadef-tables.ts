import type { QueryRunner } from 'typeorm';
import { GLANCE_CHARSET } from './glance-image-tables.js';
import {
  type TableDefinition,
  column,
  flag,
  generatedId,
  nullable,
  primary,
  varchar,
} from './table-builder.js';

const times = () => [column('created_at', 'datetime'), column('updated_at', 'datetime', nullable)];
const toNamespace = [{ columns: ['namespace_id'], table: 'metadef_namespaces', references: ['id'] }];

/** The tables of metadata definitions, parents first. */
export const metadefTables = (runner: QueryRunner): TableDefinition[] => [
  {
    name: 'metadef_namespaces',
    charset: GLANCE_CHARSET,
    columns: [
      generatedId(runner, 'int'),
      varchar('namespace', 80),
      varchar('display_name', 80, nullable),
      column('description', 'text', nullable),
      varchar('visibility', 32, nullable),
      flag('protected', nullable),
      varchar('owner', 255),
      ...times(),
    ],
    flags: ['protected'],
    indexes: [
      { name: 'uq_metadef_namespaces_namespace', columns: ['namespace'], isUnique: true },
      { name: 'ix_metadef_namespaces_owner', columns: ['owner'] },
    ],
  },
  namespaceChild(runner, 'metadef_objects', [
    column('description', 'text', nullable),
    column('required', 'text', nullable),
    column('json_schema', 'text'),
  ]),
  namespaceChild(runner, 'metadef_properties', [column('json_schema', 'text')]),
  {
    name: 'metadef_resource_types',
    charset: GLANCE_CHARSET,
    columns: [generatedId(runner, 'int'), varchar('name', 80), flag('protected'), ...times()],
    flags: ['protected'],
    indexes: [{ name: 'uq_metadef_resource_types_name', columns: ['name'], isUnique: true }],
  },
  {
    name: 'metadef_namespace_resource_types',
    charset: GLANCE_CHARSET,
    columns: [
      column('resource_type_id', 'int', primary),
      column('namespace_id', 'int', primary),
      varchar('properties_target', 80, nullable),
      varchar('prefix', 80, nullable),
      ...times(),
    ],
    foreignKeys: [
      { columns: ['resource_type_id'], table: 'metadef_resource_types', references: ['id'] },
      ...toNamespace,
    ],
    indexes: [{ name: 'ix_metadef_ns_res_types_namespace_id', columns: ['namespace_id'] }],
  },
  namespaceChild(runner, 'metadef_tags', []),
];

/** What belongs to a namespace and has a name in it. */
const namespaceChild = (
  runner: QueryRunner,
  name: string,
  own: TableDefinition['columns'],
): TableDefinition => ({
  name,
  charset: GLANCE_CHARSET,
  columns: [
    generatedId(runner, 'int'),
    column('namespace_id', 'int'),
    varchar('name', 80),
    ...own,
    ...times(),
  ],
  foreignKeys: toNamespace,
  indexes: [
    { name: `uq_${name}_namespace_id_name`, columns: ['namespace_id', 'name'], isUnique: true },
    { name: `ix_${name}_name`, columns: ['name'] },
  ],
});

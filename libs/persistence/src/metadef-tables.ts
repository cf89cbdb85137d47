import type { Flag } from './flag.js';

/** Rows of metadata definitions are deleted for good; times as `YYYY-MM-DD HH:MM:SS` in UTC. */
interface Times {
  created_at: string;
  updated_at: string | null;
}

export interface MetadefNamespaceRow extends Times {
  id: number;
  namespace: string;
  display_name: string | null;
  description: string | null;
  visibility: string | null;
  protected: Flag | null;
  owner: string;
}

interface NamespaceChildRow extends Times {
  id: number;
  namespace_id: number;
  name: string;
}

export interface MetadefObjectRow extends NamespaceChildRow {
  description: string | null;
  /** Names joined by commas. */
  required: string | null;
  /** JSON: the properties by their names. */
  json_schema: string;
}

export interface MetadefPropertyRow extends NamespaceChildRow {
  /** JSON. */
  json_schema: string;
}

export type MetadefTagRow = NamespaceChildRow;

export interface MetadefResourceTypeRow extends Times {
  id: number;
  name: string;
  /** That it came with the definitions of a file. */
  protected: Flag;
}

export interface MetadefAssociationRow extends Times {
  resource_type_id: number;
  namespace_id: number;
  properties_target: string | null;
  prefix: string | null;
}

/** The tables of metadata definitions, by name. */
export interface MetadefTables {
  metadef_namespaces: MetadefNamespaceRow;
  metadef_objects: MetadefObjectRow;
  metadef_properties: MetadefPropertyRow;
  metadef_tags: MetadefTagRow;
  metadef_resource_types: MetadefResourceTypeRow;
  metadef_namespace_resource_types: MetadefAssociationRow;
}

export { Database, type DatabaseOptions, type Dialect } from './database.js';
export type { Flag } from './flag.js';
export { UniqueViolation } from './database-errors.js';
export { SchemaError } from './migrations/schema-error.js';
export {
  type NewRow,
  type SqlCondition,
  type SqlReader,
  type SqlValue,
  type Transaction,
  exactly,
  glanceId,
  inStatements,
  placeholders,
} from './sql.js';
export { fromDatabaseTime, toDatabaseTime } from './timestamps.js';
export type {
  ImageLocationRow,
  ImageMemberRow,
  ImagePropertyRow,
  ImageRow,
  ImageTagRow,
  JobRow,
  LeaseRow,
  LocationCheckRow,
  NotificationRow,
  OutboxRow,
  TableName,
  StagedDataRow,
  TaskInfoRow,
  TaskRow,
  Tables,
} from './tables.js';
export {
  type LiveLocation,
  addChecks,
  findLocationsAfter,
  findLocationsOf,
  requestChecks,
  withoutChecks,
} from './location-checks.js';
export type { SnapshotRequestRow } from './snapshot-tables.js';
export type { QuarantinedObjectRow, ReconcileRunRow, StoreFindingRow } from './reconcile-tables.js';
export type { WebhookDeliveryRow, WebhookEventRow, WebhookRow } from './webhook-tables.js';
export { insertJob } from './new-jobs.js';
export { type RunRequest, queueReconcileRun } from './reconcile-runs.js';
export { UnitOfWork } from './unit-of-work.js';
export type {
  MetadefNamespaceRow,
  MetadefObjectRow,
  MetadefPropertyRow,
  MetadefTables,
  MetadefTagRow,
} from './metadef-tables.js';
export {
  type OwnedNamespace,
  type StoredNamespace,
  deleteNamespace,
  findNamespace,
  insertNamespace,
  metadefNamespaceColumns,
  takeNamespace,
  toStoredNamespace,
  updateNamespace,
} from './metadefs/namespaces.js';
export {
  deleteAssociation,
  findAssociation,
  insertAssociation,
  listAssociations,
  listResourceTypes,
  updateAssociation,
} from './metadefs/associations.js';
export { type MetadefChildTable, deleteChild, deleteChildren, findChild } from './metadefs/children.js';
export { insertObject, listObjects, toMetadefObject, updateObject } from './metadefs/objects.js';
export { insertProperty, listProperties, toMetadefProperty, updateProperty } from './metadefs/properties.js';
export { insertTags, listTags, renameTag, toMetadefTag } from './metadefs/tags.js';
export { insertContent, readContent } from './metadefs/content.js';

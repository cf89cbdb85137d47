export { Database, type DatabaseOptions, type Dialect } from './database.js';
export { UniqueViolation } from './database-errors.js';
export { SchemaError } from './migrations/schema-error.js';
export { type NewRow, type SqlReader, type SqlValue, type Transaction, placeholders } from './sql.js';
export { fromDatabaseTime, toDatabaseTime } from './timestamps.js';
export type {
  Flag,
  ImageLocationRow,
  ImageMemberRow,
  ImagePropertyRow,
  ImageRow,
  ImageTagRow,
  JobRow,
  LeaseRow,
  OutboxRow,
  TableName,
  Tables,
} from './tables.js';
export { UnitOfWork } from './unit-of-work.js';

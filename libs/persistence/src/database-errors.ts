import { ServiceError, isServiceError } from '@glimpse/contracts';

/** A row with the same key is there already. */
export class UniqueViolation extends Error {
  override readonly name = 'UniqueViolation';
}

const LOST = new Set(['ECONNRESET', 'EPIPE', 'PROTOCOL_CONNECTION_LOST']);
const UNAVAILABLE = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'POOL_CLOSED',
  'ER_CON_COUNT_ERROR',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_SERVER_SHUTDOWN',
  'ER_NEW_ABORTING_CONNECTION',
  'ER_CONNECTION_KILLED',
  'ER_QUERY_INTERRUPTED',
  // A replica that is not (or no longer) the primary.
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_DISK_FULL',
  'ER_RECORD_FILE_FULL',
  'SQLITE_CANTOPEN',
  'SQLITE_FULL',
  'SQLITE_READONLY',
]);
const DUPLICATE = new Set([
  'ER_DUP_ENTRY',
  'ER_DUP_ENTRY_WITH_KEY_NAME',
  'SQLITE_CONSTRAINT_UNIQUE',
  'SQLITE_CONSTRAINT_PRIMARYKEY',
]);
const UNFIT = new Set([
  'ER_DATA_TOO_LONG',
  'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD',
  'ER_WARN_DATA_OUT_OF_RANGE',
  'ER_NET_PACKET_TOO_LARGE',
  // A character beyond the BMP was looked for in a column of Glance's.
  'ER_CANT_AGGREGATE_2COLLATIONS',
  'ER_CANT_AGGREGATE_3COLLATIONS',
  'ER_CANT_AGGREGATE_NCOLLATIONS',
]);
const CONFLICT = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD', 'SQLITE_BUSY']);

interface DriverError {
  readonly code: string;
  readonly isFatal: boolean;
}

/** TypeORM wraps what a driver throws; the driver's own code says what happened. */
function driverError(error: unknown): DriverError {
  if (typeof error !== 'object' || error === null) return { code: '', isFatal: false };
  const inner: unknown = Reflect.get(error, 'driverError') ?? error;
  if (typeof inner !== 'object' || inner === null) return { code: '', isFatal: false };
  return { code: String(Reflect.get(inner, 'code')), isFatal: Reflect.get(inner, 'fatal') === true };
}

/** Whether the database gave the transaction up in favour of another one, so that it may succeed when run again. */
export const isLockConflict = (error: unknown): boolean => CONFLICT.has(driverError(error).code);

/** Whether the connection broke, so that another one may do. */
export function isConnectionLoss(error: unknown): boolean {
  const { code, isFatal } = driverError(error);
  return LOST.has(code) || (isFatal && !UNAVAILABLE.has(code));
}

/**
 * An error of a driver as the rest of the service knows it: a `UniqueViolation`, a `ServiceError` with
 * `DATABASE_UNAVAILABLE` or `REQUEST_INVALID` (a value the column can't hold), or what it was.
 */
export function translateDatabaseError(error: unknown): unknown {
  if (isServiceError(error) || error instanceof UniqueViolation) return error;
  const { code, isFatal } = driverError(error);
  if (DUPLICATE.has(code)) return new UniqueViolation('The key is taken', { cause: error });
  if (UNFIT.has(code))
    return new ServiceError('REQUEST_INVALID', 'A value does not fit into the database', { cause: error });
  if (
    isFatal ||
    LOST.has(code) ||
    UNAVAILABLE.has(code) ||
    CONFLICT.has(code) ||
    code.startsWith('SQLITE_IOERR')
  )
    return new ServiceError('DATABASE_UNAVAILABLE', 'The database is not available', { cause: error });
  return error;
}

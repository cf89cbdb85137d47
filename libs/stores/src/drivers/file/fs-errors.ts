import { type ErrorCode, ServiceError } from '@glimpse/contracts';

const writeCodes: Record<string, ErrorCode> = {
  ENOSPC: 'STORE_FULL',
  EDQUOT: 'STORE_FULL',
  EFBIG: 'STORE_FULL',
  EACCES: 'STORE_WRITE_DENIED',
  EPERM: 'STORE_WRITE_DENIED',
  EROFS: 'STORE_WRITE_DENIED',
  EEXIST: 'STORE_OBJECT_DUPLICATE',
};

const accessCodes: Record<string, ErrorCode> = {
  ENOENT: 'STORE_OBJECT_NOT_FOUND',
  ENOTDIR: 'STORE_OBJECT_NOT_FOUND',
  EISDIR: 'STORE_LOCATION_INVALID',
  EACCES: 'STORE_FORBIDDEN',
  EPERM: 'STORE_FORBIDDEN',
  EROFS: 'STORE_FORBIDDEN',
};

/** The code of a failed system call, such as `ENOENT`; undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** EIO, and how a file system says that a checksum of its own does not match: EBADMSG, EUCLEAN. */
const UNREADABLE: ReadonlySet<number> = new Set([-5, -74, -117]);

/** Whether a store failed since its medium does not give back what was written to it: that may be one file, or all of it. */
export function isUnreadable(error: unknown): boolean {
  const errno: unknown = Reflect.get(Object(Reflect.get(Object(error), 'cause')), 'errno');
  return typeof errno === 'number' && UNREADABLE.has(errno);
}

function translate(codes: Record<string, ErrorCode>, error: unknown, what: string): ServiceError {
  if (error instanceof ServiceError) return error;
  const errno = errnoOf(error);
  // What is left (EIO, ESTALE, ENOTCONN, …) means that the file system does not answer as it should.
  const code = (errno === undefined ? undefined : codes[errno]) ?? 'STORE_UNAVAILABLE';
  return new ServiceError(code, `${what}: ${errno ?? 'unexpected error'}`, { cause: error });
}

/** What a failure while writing means. */
export const toWriteError = (error: unknown, what: string) => translate(writeCodes, error, what);

/** What a failure while reading or removing means. */
export const toAccessError = (error: unknown, what: string) => translate(accessCodes, error, what);

import { type ErrorCode, ServiceError } from '@glimpse/contracts';

/** What of a failed request may be seen: the SDK's own error also holds the key that signed it, and what was signed. */
class S3Failure extends Error {
  override readonly name = 'S3Failure';
}

/** The name that S3 gives an error, such as `NoSuchKey`, or Node's code of it. */
export function nameOf(error: unknown): string {
  const code: unknown = Reflect.get(Object(error), 'code');
  const name: unknown = Reflect.get(Object(error), 'name');
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : 'unexpected error';
}

/** The status of the answer; undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  const status: unknown = Reflect.get(Object(Reflect.get(Object(error), '$metadata')), 'httpStatusCode');
  return typeof status === 'number' ? status : undefined;
}

function toFailure(error: unknown): S3Failure {
  const requestId: unknown = Reflect.get(Object(Reflect.get(Object(error), '$metadata')), 'requestId');
  const status = statusOf(error);
  const details = [
    ...(status === undefined ? [] : [`HTTP ${status}`]),
    ...(typeof requestId === 'string' ? [`request ${requestId}`] : []),
  ];
  return new S3Failure(`${nameOf(error)}${details.length === 0 ? '' : ` (${details.join(', ')})`}`);
}

const codes: Readonly<Record<string, ErrorCode>> = {
  NoSuchKey: 'STORE_OBJECT_NOT_FOUND',
  NotFound: 'STORE_OBJECT_NOT_FOUND',
  PreconditionFailed: 'STORE_OBJECT_DUPLICATE',
  ConditionalRequestConflict: 'STORE_OBJECT_DUPLICATE',
  QuotaExceeded: 'STORE_FULL',
  EntityTooLarge: 'STORE_FULL',
  XMinioStorageFull: 'STORE_FULL',
  InsufficientStorage: 'STORE_FULL',
  AccountProblem: 'STORE_UNAVAILABLE',
  InvalidAccessKeyId: 'STORE_UNAVAILABLE',
  SignatureDoesNotMatch: 'STORE_UNAVAILABLE',
  RequestTimeTooSkewed: 'STORE_UNAVAILABLE',
};

const hints: Readonly<Record<string, string>> = {
  NoSuchBucket: 'its bucket does not exist',
  InvalidAccessKeyId: 'the server does not know its access key',
  SignatureDoesNotMatch: 'the server does not accept its secret key',
  RequestTimeTooSkewed: 'the clocks of this machine and of the server differ too much',
};

/** `isWrite`: a refusal is the operator's to mend, and never the caller's fault. */
function codeOf(error: unknown, isWrite: boolean): ErrorCode {
  const known = codes[nameOf(error)];
  if (known !== undefined) return known;
  const status = statusOf(error);
  if (status === 403) return isWrite ? 'STORE_WRITE_DENIED' : 'STORE_FORBIDDEN';
  if (status === 413 || status === 507) return 'STORE_FULL';
  return 'STORE_UNAVAILABLE';
}

function translate(error: unknown, what: string, isWrite: boolean): ServiceError {
  if (error instanceof ServiceError) return error;
  const why = hints[nameOf(error)] ?? nameOf(error);
  return new ServiceError(codeOf(error, isWrite), `${what}: ${why}`, { cause: toFailure(error) });
}

/** What a failure while writing means. */
export const toWriteError = (error: unknown, what: string): ServiceError => translate(error, what, true);

/** What a failure while reading or removing means. */
export const toAccessError = (error: unknown, what: string): ServiceError => translate(error, what, false);

/** The store can't be used, whatever the reason. */
export function toUnavailable(error: unknown, what: string): ServiceError {
  const { message, cause } = toAccessError(error, what);
  return new ServiceError('STORE_UNAVAILABLE', message, { cause });
}

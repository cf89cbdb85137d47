import { HttpException } from '@nestjs/common';
import { type ErrorCode, ServiceError } from '@glimpse/contracts';
import { HttpError } from './http-error.js';

/** The status of every error code (spec: errors-and-edge-cases.md section 1). */
const statusOf = {
  REQUEST_INVALID: 400,
  ACTION_FORBIDDEN: 403,
  IMAGE_NOT_FOUND: 404,
  IMAGE_INVALID: 400,
  IMAGE_DUPLICATE: 409,
  IMAGE_PROTECTED: 403,
  IMAGE_STATUS_CONFLICT: 409,
  IMAGE_LOST_RACE: 410,
  IMAGE_FORMATS_MISSING: 400,
  IMAGE_FORMAT_REFUSED: 415,
  IMAGE_DEACTIVATED: 403,
  IMAGE_DATA_DAMAGED: 409,
  IMAGE_SIZE_MISMATCH: 400,
  PROPERTY_FORBIDDEN: 403,
  PROPERTY_NOT_FOUND: 409,
  PROPERTY_DUPLICATE: 409,
  TAG_NOT_FOUND: 404,
  MEMBER_NOT_FOUND: 404,
  MEMBER_DUPLICATE: 409,
  PRECONDITION_FAILED: 412,
  QUOTA_EXCEEDED: 413,
  LOCATION_IS_LAST: 403,
  VALIDATION_DATA_CONFLICT: 409,
  IMAGE_NOT_IN_STORE: 404,
  TASK_NOT_FOUND: 404,
  WEBHOOK_NOT_FOUND: 404,
  WEBHOOK_CONFLICT: 409,
  SNAPSHOT_NOT_FOUND: 404,
  SNAPSHOT_REQUEST_CONFLICT: 409,
  SNAPSHOT_CANCELLED: 409,
  NAMESPACE_NOT_FOUND: 404,
  METADEF_NOT_FOUND: 404,
  METADEF_DUPLICATE: 409,
  METADEF_PROTECTED: 403,
  MARKER_NOT_FOUND: 400,
  MARKER_FORBIDDEN: 403,
  STORE_UNKNOWN: 400,
  STORE_NOT_CONFIGURED: 409,
  STORE_FULL: 413,
  STORE_OBJECT_NOT_FOUND: 404,
  STORE_OBJECT_DUPLICATE: 409,
  STORE_WRITE_DENIED: 503,
  STORE_FORBIDDEN: 403,
  STORE_UNAVAILABLE: 503,
  STORE_OPERATION_UNSUPPORTED: 400,
  STORE_LOCATION_INVALID: 400,
  TRANSFER_ABORTED: 400,
  CONVERSION_FAILED: 400,
  SCRATCH_FULL: 503,
  LEASE_LOST: 410,
  RPC_TIMEOUT: 503,
  RPC_UNKNOWN: 503,
  BUS_UNAVAILABLE: 503,
  DATABASE_UNAVAILABLE: 503,
  IDENTITY_REFUSED: 401,
  IDENTITY_UNAVAILABLE: 503,
  SERVICE_STOPPING: 503,
  INTERNAL: 500,
} satisfies Record<ErrorCode, number>;

/** What these say is about our insides, not about the request. */
const UNTOLD: ReadonlySet<ErrorCode> = new Set([
  'RPC_TIMEOUT',
  'RPC_UNKNOWN',
  'BUS_UNAVAILABLE',
  'DATABASE_UNAVAILABLE',
  'INTERNAL',
]);

const UNAVAILABLE = 'The image service is temporarily unavailable, please try again.';
const INTERNAL = 'The server has either erred or is incapable of performing the requested operation.';

/** What Glance says of data that it refuses to store, before the reason. */
const WRONG_TYPE = 'The request media type application/octet-stream is not supported by this server.';

export interface ErrorAnswer {
  readonly status: number;
  readonly explanation: string;
  readonly headers: Readonly<Record<string, string>>;
}

function explain(error: ServiceError, status: number): string {
  if (error.code === 'IMAGE_FORMAT_REFUSED') return `${WRONG_TYPE}\n${error.message}`;
  if (!UNTOLD.has(error.code)) return error.message;
  return status === 503 ? UNAVAILABLE : INTERNAL;
}

/** The status of an error that the HTTP framework itself raised, where it blames the request. */
function frameworkStatus(error: unknown): number | undefined {
  const status: unknown =
    error instanceof HttpException
      ? error.getStatus()
      : error instanceof Error
        ? Reflect.get(error, 'statusCode')
        : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

/** What to tell the client about `error`: a status, a sentence, headers. Anything unforeseen is a 500 that says nothing. */
export function answerFor(error: unknown): ErrorAnswer {
  if (error instanceof HttpError)
    return { status: error.status, explanation: error.message, headers: error.headers };
  if (error instanceof ServiceError) {
    const status = statusOf[error.code];
    return { status, explanation: explain(error, status), headers: {} };
  }
  const status = frameworkStatus(error);
  if (status === undefined) return { status: 500, explanation: INTERNAL, headers: {} };
  const explanation = status === 404 ? 'The resource could not be found.' : 'The request is malformed.';
  // An over-long path segment (414) names nothing that exists.
  return status === 414
    ? { status: 404, explanation: 'The resource could not be found.', headers: {} }
    : { status, explanation, headers: {} };
}

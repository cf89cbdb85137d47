/**
 * Every error that crosses a border between services or reaches a client.
 * `retryable` says that the same call may succeed later without a change by the caller.
 */
export const errorCodes = {
  REQUEST_INVALID: { retryable: false },
  ACTION_FORBIDDEN: { retryable: false },

  IMAGE_NOT_FOUND: { retryable: false },
  IMAGE_INVALID: { retryable: false },
  IMAGE_DUPLICATE: { retryable: false },
  IMAGE_PROTECTED: { retryable: false },
  /** The status does not allow the action (409). */
  IMAGE_STATUS_CONFLICT: { retryable: false },
  /** The image changed or was deleted while it was being worked on (410). */
  IMAGE_LOST_RACE: { retryable: false },
  IMAGE_FORMATS_MISSING: { retryable: false },
  /** The data is not what the image's formats say, or not safe (415). */
  IMAGE_FORMAT_REFUSED: { retryable: false },
  IMAGE_DEACTIVATED: { retryable: false },
  /** Its data was found to be damaged or lost, everywhere (409). */
  IMAGE_DATA_DAMAGED: { retryable: false },
  IMAGE_SIZE_MISMATCH: { retryable: false },

  PROPERTY_FORBIDDEN: { retryable: false },
  PROPERTY_NOT_FOUND: { retryable: false },
  PROPERTY_DUPLICATE: { retryable: false },
  TAG_NOT_FOUND: { retryable: false },
  MEMBER_NOT_FOUND: { retryable: false },
  MEMBER_DUPLICATE: { retryable: false },
  /** The image is not, or no longer, the one that the caller thinks of (412). */
  PRECONDITION_FAILED: { retryable: false },
  QUOTA_EXCEEDED: { retryable: false },
  /** An image keeps at least one location (403). */
  LOCATION_IS_LAST: { retryable: false },
  /** What is said of the data is not what is known of it (409). */
  VALIDATION_DATA_CONFLICT: { retryable: false },
  IMAGE_NOT_IN_STORE: { retryable: false },
  TASK_NOT_FOUND: { retryable: false },
  /** A webhook, or a delivery of it. */
  WEBHOOK_NOT_FOUND: { retryable: false },
  /** What is asked for does not fit the webhook's state (409). */
  WEBHOOK_CONFLICT: { retryable: false },
  SNAPSHOT_NOT_FOUND: { retryable: false },
  /** The id of the request is that of another one (409). */
  SNAPSHOT_REQUEST_CONFLICT: { retryable: false },
  /** Somebody ended the snapshot, or deleted its image. */
  SNAPSHOT_CANCELLED: { retryable: false },

  /** A namespace of metadata definitions that is not there, or that the caller must not know of. */
  NAMESPACE_NOT_FOUND: { retryable: false },

  METADEF_NOT_FOUND: { retryable: false },
  METADEF_DUPLICATE: { retryable: false },
  METADEF_PROTECTED: { retryable: false },

  MARKER_NOT_FOUND: { retryable: false },
  MARKER_FORBIDDEN: { retryable: false },

  STORE_UNKNOWN: { retryable: false },
  /** The store whose data is to be removed is none of the configuration's (409). */
  STORE_NOT_CONFIGURED: { retryable: false },
  STORE_FULL: { retryable: false },
  STORE_OBJECT_NOT_FOUND: { retryable: false },
  STORE_OBJECT_DUPLICATE: { retryable: false },
  STORE_WRITE_DENIED: { retryable: true },
  STORE_FORBIDDEN: { retryable: false },
  STORE_UNAVAILABLE: { retryable: true },
  STORE_OPERATION_UNSUPPORTED: { retryable: false },
  STORE_LOCATION_INVALID: { retryable: false },
  /** The stream that was to be stored broke off or was given up. */
  TRANSFER_ABORTED: { retryable: true },

  /** Data that could not be decompressed, unpacked or converted. */
  CONVERSION_FAILED: { retryable: false },
  /** A worker has no room for data that is to be converted. */
  SCRATCH_FULL: { retryable: true },

  LEASE_LOST: { retryable: false },

  /** Who asks did not prove who they are (401). */
  IDENTITY_REFUSED: { retryable: false },
  /** It can't be known who is calling. */
  IDENTITY_UNAVAILABLE: { retryable: true },
  RPC_TIMEOUT: { retryable: true },
  RPC_UNKNOWN: { retryable: false },
  BUS_UNAVAILABLE: { retryable: true },
  DATABASE_UNAVAILABLE: { retryable: true },
  SERVICE_STOPPING: { retryable: true },
  INTERNAL: { retryable: false },
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** Whether `text` is a code of this release; a newer peer may send others. */
export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === 'string' && Object.hasOwn(errorCodes, text);
}

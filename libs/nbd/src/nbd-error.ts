/**
 * What can go wrong between this client and a server. `retryable` says that the same may succeed later, over a new
 * connection; everything read before stays valid.
 */
export const nbdErrorCodes = {
  /** The URI is not one of the NBD protocol, or asks for what this client does not do. */
  NBD_URI_INVALID: { retryable: false },
  /** Nobody listens there, or there is no way there. */
  NBD_UNREACHABLE: { retryable: true },
  /** The connection broke, or the server is shutting down. */
  NBD_CONNECTION_LOST: { retryable: true },
  /** The server did not answer, or not to an end, within the time that was given. */
  NBD_TIMEOUT: { retryable: true },
  /** The server could not do this now: an error of its disk, no memory. */
  NBD_SERVER_FAILED: { retryable: true },
  /** The server does not know the export. */
  NBD_EXPORT_NOT_FOUND: { retryable: false },
  /** The server does not serve this client, or not this request. */
  NBD_REFUSED: { retryable: false },
  /** No secure connection: no TLS on one of the sides, a certificate that does not hold. */
  NBD_TLS_FAILED: { retryable: false },
  /** What the server sent is not the protocol. */
  NBD_PROTOCOL_VIOLATION: { retryable: false },
  /** The server does not tell what was asked for: a metadata context that it does not have, an old protocol. */
  NBD_UNSUPPORTED: { retryable: false },
  /** The client was closed. */
  NBD_CLOSED: { retryable: false },
} as const;

export type NbdErrorCode = keyof typeof nbdErrorCodes;

/** The only kind of error this library throws on purpose, beside the reason of an `AbortSignal` and a `RangeError` for bad arguments. */
export class NbdError extends Error {
  constructor(
    readonly code: NbdErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'NbdError';
  }

  /** Whether a new connection may succeed. */
  get isRetryable(): boolean {
    return nbdErrorCodes[this.code].retryable;
  }
}

/** An answer that no server that keeps to the protocol gives. */
export function violation(what: string): NbdError {
  return new NbdError('NBD_PROTOCOL_VIOLATION', `The NBD server breaks the protocol: ${what}`);
}

import { z } from 'zod';
import { type ErrorCode, errorCodes, isErrorCode } from './error-codes.js';

/** How an error travels on the bus. The cause and the stack stay in the log of the service where they arose. */
export const WireError = z.object({
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type WireError = z.output<typeof WireError>;

/** An error with a code of {@link errorCodes}; the only kind that services throw on purpose. */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ServiceError';
    this.code = code;
    this.details = options.details;
  }

  /** Whether the same call may succeed later. */
  get isRetryable(): boolean {
    return errorCodes[this.code].retryable;
  }

  toWire(): WireError {
    return {
      code: this.code,
      message: this.message,
      ...(this.details === undefined ? {} : { details: { ...this.details } }),
    };
  }

  /** Turns an error from the bus back into one to throw; a code this release does not know becomes `INTERNAL`. */
  static fromWire(wire: WireError): ServiceError {
    const code = isErrorCode(wire.code) ? wire.code : 'INTERNAL';
    return new ServiceError(code, wire.message, wire.details ? { details: wire.details } : {});
  }
}

/** `error` when it is a `ServiceError` with one of `codes` (or any code, when none is named). */
export function isServiceError(error: unknown, ...codes: ErrorCode[]): error is ServiceError {
  return error instanceof ServiceError && (codes.length === 0 || codes.includes(error.code));
}

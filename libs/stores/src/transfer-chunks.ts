import { type Readable, addAbortSignal } from 'node:stream';
import { ServiceError } from '@glimpse/contracts';

const brokeOff = (cause: unknown) =>
  new ServiceError('TRANSFER_ABORTED', 'The data broke off before its end', { cause });

/** Throws `TRANSFER_ABORTED` where `signal` has ended the transfer. */
export function refuseWhenAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw brokeOff(signal.reason);
}

/**
 * The chunks of a stream that a driver stores. Where the stream fails, or `signal` ends it, iterating throws
 * `TRANSFER_ABORTED`, or the `ServiceError` that the stream failed with. Leaving the loop destroys the stream.
 */
export async function* transferChunks(
  data: Readable,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  refuseWhenAborted(signal);
  try {
    yield* signal === undefined ? data : addAbortSignal(signal, data);
  } catch (error) {
    throw error instanceof ServiceError ? error : brokeOff(error);
  }
}

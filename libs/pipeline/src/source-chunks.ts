import type { Readable } from 'node:stream';
import { ServiceError } from '@glimpse/contracts';

const brokeOff = (cause: unknown) =>
  new ServiceError('TRANSFER_ABORTED', 'The data broke off before its end', { cause });

/**
 * The chunks of what a client sends. Throws `TRANSFER_ABORTED` where it breaks off or `signal` ends the transfer, also
 * while nothing comes; a source that knows better why it failed says so by its own `ServiceError`. Leaves the source open: its owner may still have to answer the client.
 */
export async function* sourceChunks(
  source: Readable,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer> = source.iterator({ destroyOnReturn: false });
  // One listener for the whole transfer: one for each of many thousand chunks would be felt.
  let endWait: (reason: unknown) => void = () => {};
  const abort = () => endWait(signal?.reason);
  signal?.addEventListener('abort', abort);
  try {
    while (true) {
      if (signal?.aborted === true) throw brokeOff(signal.reason);
      const next = await new Promise<IteratorResult<Buffer>>((resolve, reject) => {
        endWait = reject;
        chunks.next().then(resolve, reject);
      }).catch((error: unknown) => {
        throw error instanceof ServiceError ? error : brokeOff(error);
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    void chunks.return?.();
  }
}

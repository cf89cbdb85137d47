import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { ServiceError } from '@glimpse/contracts';

/**
 * Waits until there is something to read, so that a failure comes before the answer has begun. Destroys the stream where
 * there is nothing.
 */
export async function firstBytes(stream: Readable): Promise<Readable> {
  try {
    if (stream.errored !== null) throw stream.errored;
    if (stream.readableLength > 0 || stream.readableEnded) return stream;
    const closed = once(stream, 'close').then(() => {
      throw new ServiceError('STORE_UNAVAILABLE', 'The store closed the data before its first byte');
    });
    closed.catch(() => undefined);
    await Promise.race([once(stream, 'readable'), closed]);
    return stream;
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

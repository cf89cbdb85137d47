import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { ServiceError } from '@glimpse/contracts';
import { freeChunk } from '@glimpse/pipeline';
import { watchIdle } from '../http/idle-watch.js';

const aborted = (message: string, cause?: unknown) =>
  new ServiceError('TRANSFER_ABORTED', message, { cause });

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  if (response.writableNeedDrain) await once(response, 'drain', { signal });
}

/**
 * Sends exactly `length` bytes of the stream as the body of an answer whose head is written, and ends it. A stream
 * that fails, is too short or too long, a client that stalls and the signal (which aborts when the client is gone) end
 * the connection: the client sees a broken transfer, never a short body. Destroys the stream, whose chunks nobody else
 * may use: their memory is freed when they are sent. Throws TRANSFER_ABORTED, the
 * signal's reason or the stream's error.
 */
export async function sendBody(
  source: Readable,
  response: ServerResponse,
  options: {
    length: number;
    idleMs: number;
    signal: AbortSignal;
    /** Hears after each piece how many bytes have gone. */
    onSent?: (bytes: number) => void;
  },
): Promise<void> {
  const stalled = new AbortController();
  const stopWatching = watchIdle(response, {
    idleMs: options.idleMs,
    isClientsTurn: () => response.writableNeedDrain,
    onIdle: () => stalled.abort(aborted('The client reads nothing')),
  });
  const signal = AbortSignal.any([stalled.signal, options.signal]);
  const onAbort = () => source.destroy();
  signal.addEventListener('abort', onAbort);
  let sent = 0;
  try {
    signal.throwIfAborted();
    for await (const chunk of source as AsyncIterable<Buffer>) {
      sent += chunk.length;
      if (sent > options.length) throw aborted('The store has more data than the image');
      response.write(chunk, (error) => {
        if (error == null) freeChunk(chunk);
      });
      await drained(response, signal);
      options.onSent?.(sent);
    }
    if (sent < options.length) throw aborted('The store has less data than the image');
    stopWatching();
    response.end();
  } catch (error) {
    stopWatching();
    response.destroy();
    throw signal.aborted ? signal.reason : error;
  } finally {
    source.destroy();
    signal.removeEventListener('abort', onAbort);
  }
}

import type { IncomingMessage } from 'node:http';

/** A client that was answered early may send this much more, and for this long; most have stopped by then. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_MS = 2_000;
const CHECK_EVERY_MS = 50;

/**
 * After an early answer: throws away what the client still sends, for a while, so that it comes to read the answer;
 * then ends the connection. Closing at once would make the network drop the answer with the connection.
 */
export function discardUnreadBody(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  const { socket } = request;
  const startedAt = performance.now();
  const bytesBefore = socket.bytesRead;
  request.resume();
  const timer = setInterval(() => {
    const isOver = socket.bytesRead - bytesBefore > MAX_BYTES || performance.now() - startedAt > MAX_MS;
    if (!request.complete && !socket.destroyed && !isOver) return;
    clearInterval(timer);
    if (!request.complete) socket.destroy();
  }, CHECK_EVERY_MS);
  timer.unref();
}

import type { Server } from 'node:http';
import type { UnusedConnections } from './unused-connections.js';
import { isDoneWithin } from '@glimpse/runtime';

const CHECK_EVERY_MS = 100;
/** What was given up may still say so to its clients. */
const LAST_WORDS_MS = 1_000;

/**
 * Stops listening and waits until every request is answered. After `graceMs` it calls `giveUp`, which ends the
 * transfers, and soon closes what is still open.
 */
export async function drainServer(
  server: Server,
  unused: UnusedConnections,
  graceMs: number,
  giveUp: () => void,
): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection goes idle when its answer ends; nothing else closes it then.
  const timer = setInterval(() => {
    server.closeIdleConnections();
    unused.close();
  }, CHECK_EVERY_MS);
  try {
    if (await isDoneWithin(closed, graceMs)) return;
    giveUp();
    if (await isDoneWithin(closed, LAST_WORDS_MS)) return;
    server.closeAllConnections();
    await closed;
  } finally {
    clearInterval(timer);
  }
}

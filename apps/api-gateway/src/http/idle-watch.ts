import type { ServerResponse } from 'node:http';

/**
 * Calls `onIdle` when the connection moved no byte for `idleMs` although it was the client's turn. Socket timeouts
 * count what the kernel took, so that a reader that is slow but alive is left alone. Returns how to stop watching,
 * which is done before the answer ends.
 */
export function watchIdle(
  response: ServerResponse,
  options: { idleMs: number; isClientsTurn: () => boolean; onIdle: () => void },
): () => void {
  const onTimeout = () => {
    if (options.isClientsTurn()) options.onIdle();
    else response.socket?.setTimeout(options.idleMs);
  };
  response.setTimeout(options.idleMs, onTimeout);
  return () => {
    response.off('timeout', onTimeout);
    response.socket?.setTimeout(0);
  };
}

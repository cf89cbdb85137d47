import { connect, createServer } from 'node:net';

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}

/** Between one try and the next, and so many: what is below 32768 no connection gets for its own end. */
const STEP = 200;
const TRIES = 40;

/**
 * `preferred` when nobody listens there, else a free port of 127.0.0.1: the next in steps, so that ports that are
 * preferred beside each other stay different. Any for 0.
 */
export async function freePort(preferred: number): Promise<number> {
  const wanted = Array.from({ length: preferred === 0 ? 0 : TRIES }, (_, index) => preferred + index * STEP);
  for (const candidate of [...wanted, 0]) {
    const port = await listenOnce(candidate);
    if (port !== undefined) return port;
  }
  throw new Error('127.0.0.1 has no free port');
}

/** Whether something accepts connections on that port. */
export function isOpen(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const answer = (isConnected: boolean) => {
      socket.destroy();
      resolve(isConnected);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.once('timeout', () => answer(false));
  });
}

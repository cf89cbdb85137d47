import { connect, createServer } from 'node:net';
import { isTrueWithin } from './waiting.js';

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

/** `preferred` when nobody listens there, else a free port of 127.0.0.1. */
export async function freePort(preferred: number): Promise<number> {
  const port = (await listenOnce(preferred)) ?? (await listenOnce(0));
  if (port === undefined) throw new Error('127.0.0.1 has no free port');
  return port;
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

/** Waits until the port is open. */
export const isOpenWithin = (timeoutMs: number, port: number) => isTrueWithin(timeoutMs, () => isOpen(port));

import { stat } from 'node:fs/promises';
import { type Server, createServer } from 'node:net';

/**
 * Keeps a directory to this process while it lives, by the name of a socket that ends with it (Linux; elsewhere nothing
 * is kept). Two gateways that share a cache would take twice its bound and remove each other's files.
 */
export class DirectoryLock {
  private constructor(private readonly server: Server | undefined) {}

  /** Rejects where another process has the directory. */
  static async take(path: string): Promise<DirectoryLock> {
    if (process.platform !== 'linux') return new DirectoryLock(undefined);
    const { dev, ino } = await stat(path);
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        reject(
          new Error(`Another gateway uses the cache in ${path}; each has a directory of its own`, {
            cause: error,
          }),
        );
      });
      server.listen(`\0glimpse-image-cache-${dev}-${ino}`, resolve);
    });
    server.unref();
    return new DirectoryLock(server);
  }

  release(): Promise<void> {
    return new Promise((resolve) => {
      if (this.server === undefined) resolve();
      else this.server.close(() => resolve());
    });
  }
}

import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';

/** A web server on loopback that serves what it was given, in ranges too. */
export class DataServer {
  private readonly data = new Map<string, Buffer>();
  private readonly held = new Map<string, Promise<void>>();
  /** Requests that were answered, as `GET /name`. */
  readonly seen: string[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<DataServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const started = new DataServer(server);
    server.on('request', (request, response) => {
      const path = new URL(request.url ?? '/', 'http://localhost').pathname;
      const data = started.data.get(path);
      started.seen.push(`${request.method} ${path}`);
      if (data === undefined) {
        response.writeHead(404).end();
        return;
      }
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      const part = from === undefined ? data : data.subarray(Number(from), Number(to) + 1);
      response.writeHead(from === undefined ? 200 : 206, {
        'content-length': part.length,
        ...(from === undefined ? {} : { 'content-range': `bytes ${from}-${to}/${data.length}` }),
      });
      if (request.method === 'HEAD') response.end();
      else {
        const half = Math.floor(part.length / 2);
        response.write(part.subarray(0, half));
        void (started.held.get(path) ?? Promise.resolve()).then(() => response.end(part.subarray(half)));
      }
    });
    return started;
  }

  /** Serves `data` under `/name`; answers with the URL. */
  serve(name: string, data: Buffer): string {
    this.data.set(`/${name}`, data);
    return this.urlOf(name);
  }

  urlOf(name: string): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/${name}`;
  }

  /** From now on `/name` is not found. */
  remove(name: string): void {
    this.data.delete(`/${name}`);
  }

  /** Sends only the first half of `/name` until the function that this returns is called. */
  hold(name: string): () => void {
    let release = () => {};
    this.held.set(
      `/${name}`,
      new Promise((resolve) => {
        release = resolve;
      }),
    );
    return release;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

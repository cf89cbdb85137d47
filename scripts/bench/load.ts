import { type Socket, connect } from 'node:net';

/** What a load run saw. */
export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** One keep-alive HTTP/1.1 connection that reads no more of an answer than it must, so that the server is what is measured. */
class Connection {
  private buffered: Buffer = Buffer.alloc(0);
  private settle: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (piece: Buffer) => this.receive(piece));
    socket.on('error', (error) => this.settle?.reject(error));
    socket.on('close', () => this.settle?.reject(new Error('the server closed the connection')));
  }

  static open(url: URL): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(url.port), url.hostname, () => resolve(new Connection(socket)));
      socket.once('error', reject);
    });
  }

  request(text: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
      this.socket.write(text);
    });
  }

  close(): void {
    this.settle = undefined;
    this.socket.destroy();
  }

  private receive(piece: Buffer): void {
    this.buffered = this.buffered.length === 0 ? piece : Buffer.concat([this.buffered, piece]);
    const headEnd = this.buffered.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const head = this.buffered.toString('latin1', 0, headEnd);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    if (length === null) throw new Error(`an answer without a length: ${head}`);
    if (this.buffered.length < headEnd + 4 + Number(length[1])) return;
    this.buffered = Buffer.alloc(0);
    this.settle?.resolve(Number(head.slice(9, 12)));
  }
}

const percentile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/**
 * Keeps `inFlight` requests under way for `seconds`, each on a connection of its own. `makeRequest` gives the n-th
 * request as text. Every answer must have `status`.
 */
export async function runLoad(
  baseUrl: string,
  options: { inFlight: number; seconds: number; status: number; makeRequest: (n: number) => string },
): Promise<LoadResult> {
  const url = new URL(baseUrl);
  const connections = await Promise.all(Array.from({ length: options.inFlight }, () => Connection.open(url)));
  const durations: number[] = [];
  const start = performance.now();
  const end = start + options.seconds * 1000;
  let n = 0;
  const work = async (connection: Connection) => {
    for (let now = performance.now(); now < end;) {
      const status = await connection.request(options.makeRequest(n++));
      if (status !== options.status) throw new Error(`expected ${options.status}, got ${status}`);
      const after = performance.now();
      durations.push(after - now);
      now = after;
    }
  };
  try {
    await Promise.all(connections.map(work));
  } finally {
    for (const connection of connections) connection.close();
  }
  const elapsedSeconds = (performance.now() - start) / 1000;
  const sorted = durations.toSorted((a, b) => a - b);
  return {
    requestsPerSecond: durations.length / elapsedSeconds,
    medianMs: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  };
}

/** A request without a body. */
export const getRequest = (path: string) => `GET ${path} HTTP/1.1\r\nHost: bench\r\nAccept: */*\r\n\r\n`;

/** A POST of `body` as JSON. */
export function postRequest(path: string, body: unknown): string {
  const text = JSON.stringify(body);
  return (
    `POST ${path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
  );
}

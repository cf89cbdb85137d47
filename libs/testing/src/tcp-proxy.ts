import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';

const DEFAULT_AMQP_PORT = 5672;

/** A way to a server that a test can cut, freeze and close. */
export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  private server: Server | null = null;
  private port = 0;
  private isFrozen = false;

  /** `target` is the URL of the server. */
  constructor(private readonly target: URL) {}

  /** Lets connections through, again on the same port. */
  async open(): Promise<void> {
    this.server = createServer((near) => this.join(near));
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** The URL through the proxy. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    return url.href;
  }

  /** Ends all connections; new ones are let through. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Ends all connections and refuses new ones, as if the server were gone. */
  async close(): Promise<void> {
    const { server } = this;
    this.server = null;
    const closed = server === null ? undefined : once(server, 'close');
    server?.close();
    this.cut();
    await closed;
  }

  /** Keeps connections but moves no byte, as if the server hung or its machine were gone. */
  freeze(): void {
    this.isFrozen = true;
    for (const socket of this.sockets) socket.pause();
  }

  thaw(): void {
    this.isFrozen = false;
    for (const socket of this.sockets) socket.resume();
  }

  private join(near: Socket): void {
    const far = connect(Number(this.target.port || DEFAULT_AMQP_PORT), this.target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (data) => to.write(data));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      if (this.isFrozen) from.pause();
    }
  }
}

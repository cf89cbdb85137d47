import { once } from 'node:events';
import { type AddressInfo, type Server, connect, createServer } from 'node:net';

/** Forwards connections to a port of this machine, and counts what comes back from there. */
export class CountingProxy {
  /** Bytes since it was last set to 0. */
  received = 0;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(targetPort: number): Promise<CountingProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new CountingProxy(server, (server.address() as AddressInfo).port);
    server.on('connection', (near) => {
      const far = connect(targetPort, '127.0.0.1');
      far.on('data', (data) => (proxy.received += data.length));
      near.pipe(far).pipe(near);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const)
        one.on('error', () => other.destroy()).on('close', () => other.destroy());
    });
    return proxy;
  }

  async close(): Promise<void> {
    this.server.close();
    await once(this.server, 'close');
  }
}

import { type ConnectionOptions, NbdConnection } from './connection/nbd-connection.js';
import { NbdError, violation } from './nbd-error.js';
import type { NbdAddress } from './nbd-uri.js';

/** The connections of one client. They agree on everything; the loss of one fails what is awaited on it. */
export class ConnectionPool {
  private constructor(private readonly connections: readonly [NbdConnection, ...NbdConnection[]]) {}

  /**
   * Opens `wanted` connections where the server says that they see the same data, else one. A server that does not take so
   * many is used over those it took.
   */
  static async open(
    address: NbdAddress,
    wanted: number,
    options: ConnectionOptions,
  ): Promise<ConnectionPool> {
    const first = await NbdConnection.open(address, options);
    const more = first.agreement.info.canMultiConn ? wanted - 1 : 0;
    const opened = await Promise.allSettled(
      Array.from({ length: more }, () => NbdConnection.open(address, options)),
    );
    const others = opened.filter((one) => one.status === 'fulfilled').map(({ value }) => value);
    const pool = new ConnectionPool([first, ...others]);
    try {
      for (const one of opened) if (one.status === 'rejected') throwUnlessFull(one.reason);
      for (const other of others) checkSame(first, other);
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  get first(): NbdConnection {
    return this.connections[0];
  }

  get size(): number {
    return this.connections.length;
  }

  /** The one with the least to do. */
  get idlest(): NbdConnection {
    return this.connections.reduce((best, one) => (one.inFlightBytes < best.inFlightBytes ? one : best));
  }

  get traffic(): { readonly bytesReceived: number; readonly requests: number } {
    const each = this.connections.map(({ traffic }) => traffic);
    return {
      bytesReceived: each.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0),
      requests: each.reduce((sum, { requests }) => sum + requests, 0),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.connections.map((connection) => connection.close()));
  }
}

function throwUnlessFull(reason: unknown): void {
  if (!(reason instanceof NbdError) || !reason.isRetryable) throw reason;
}

function checkSame({ agreement: first }: NbdConnection, { agreement: other }: NbdConnection): void {
  const described = [first, other].map(({ info, hasStructuredReplies, contexts }) =>
    JSON.stringify([info, hasStructuredReplies, [...contexts.ids.keys()]]),
  );
  if (described[0] !== described[1]) throw violation('two connections to one export show different disks');
}

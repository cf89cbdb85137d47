import type { ByteSink } from '../connection/transport.js';
import { violation } from '../nbd-error.js';

/** More than any server has to say before data is asked for. */
const MAX_BYTES = 4_194_304;

/** Collects what a server sends during the handshake, where the client asks and waits in turns. */
export class HandshakeBuffer implements ByteSink {
  private held = Buffer.alloc(0);
  private total = 0;
  private failure: Error | null = null;
  private wake: (() => void) | null = null;

  receive(chunk: Buffer): void {
    this.total += chunk.length;
    if (this.total > MAX_BYTES) throw violation('its handshake does not end');
    this.held = Buffer.concat([this.held, chunk]);
    this.wake?.();
  }

  failed(error: Error): void {
    this.failure = error;
    this.wake?.();
  }

  /** The next `bytes` bytes, which stay the caller's. Rejects when the connection ends before. */
  async take(bytes: number): Promise<Buffer> {
    while (this.held.length < bytes) {
      if (this.failure !== null) throw this.failure;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    const taken = this.held.subarray(0, bytes);
    this.held = this.held.subarray(bytes);
    return taken;
  }

  /** Whether something came that nobody took. */
  get hasMore(): boolean {
    return this.held.length > 0;
  }
}

import { Injectable } from '@nestjs/common';

/** Whether this process reaches the broker. */
@Injectable()
export class BusStatus {
  private since: number | null = null;

  isConnected(): boolean {
    return this.since !== null;
  }

  /**
   * When the connection was made, in epoch milliseconds; null while there is none. Events for each instance that were
   * published before are not seen.
   */
  connectedSinceMs(): number | null {
    return this.since;
  }

  /** For the bus itself. */
  update(isConnected: boolean): void {
    this.since = isConnected ? Date.now() : null;
  }
}

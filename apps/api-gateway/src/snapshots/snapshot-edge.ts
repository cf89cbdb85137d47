import { isDoneWithin } from '@glimpse/runtime';
import { Injectable } from '@nestjs/common';
import { GatewaySettings } from '../gateway-settings.js';
import { ComputeBus } from './compute-bus.js';
import { SnapshotRequests } from './snapshot-requests.js';

/** Takes the requests of compute, from the start of the gateway to its end. */
@Injectable()
export class SnapshotEdge {
  private readonly inFlight = new Set<Promise<void>>();

  constructor(
    private readonly bus: ComputeBus,
    private readonly requests: SnapshotRequests,
    private readonly settings: GatewaySettings,
  ) {}

  /** Begins to connect; without RabbitMQ there is nothing to take. */
  start(): void {
    this.bus.requests?.open((request) => {
      const work = this.requests.take(request).finally(() => this.inFlight.delete(work));
      this.inFlight.add(work);
    });
  }

  /** Takes nothing more, and waits up to `graceMs` for what was begun. What is left then is delivered to another gateway. */
  async stop(graceMs: number): Promise<void> {
    if (this.bus.requests === undefined) return;
    await this.bus.requests.stopConsuming();
    if (await isDoneWithin(Promise.all(this.inFlight), graceMs)) return;
    this.settings.logger.warn({ graceMs }, 'snapshot requests are left to another gateway');
  }

  /** Disconnects, when no reply is to be sent any more. */
  async close(): Promise<void> {
    await this.bus.requests?.close();
  }
}

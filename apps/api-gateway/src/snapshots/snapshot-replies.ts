import { ServiceError, type SnapshotReply, type SnapshotReplyAddress } from '@glimpse/contracts';
import { counter, metricNames } from '@glimpse/observability';
import { Injectable } from '@nestjs/common';
import { GatewaySettings } from '../gateway-settings.js';
import type { RemoteException } from './broken-message.js';
import { ComputeBus } from './compute-bus.js';
import { exceptionOf, osloFailure, osloResult } from './oslo-envelope.js';

const replies = counter({
  name: metricNames.snapshotReplies,
  help: 'Replies to messages about snapshots, by what became of them.',
  labelNames: ['outcome'],
});

const failures: ReadonlySet<SnapshotReply['status']> = new Set(['rejected', 'failed', 'cancelled']);

/** What a reply says beside the snapshot. */
export interface HowTold {
  /** Whether a snapshot that came to nothing is what was asked about, and no failure of the question. */
  readonly isAnswer?: boolean;
  /** The exception that clients of oslo.messaging get, where it is not named after the code. */
  readonly remote?: RemoteException | undefined;
}

function bodyOf(address: SnapshotReplyAddress, reply: SnapshotReply, how: HowTold): string {
  if (address.form === 'plain') return JSON.stringify(reply);
  const isFailure = reply.status === 'rejected' || (how.isAnswer !== true && failures.has(reply.status));
  if (!isFailure) return osloResult(address.correlationId, reply);
  const { code, message } = reply.error ?? { code: 'INTERNAL', message: `The snapshot is ${reply.status}` };
  return osloFailure(
    address.correlationId,
    how.remote ?? { type: exceptionOf(code), args: [message] },
    message,
  );
}

/** Tells those who asked for a snapshot what became of it. */
@Injectable()
export class SnapshotReplies {
  constructor(
    private readonly bus: ComputeBus,
    private readonly settings: GatewaySettings,
  ) {}

  /** Whether this gateway has a RabbitMQ to send replies by. */
  get canSend(): boolean {
    return this.bus.requests !== undefined;
  }

  /**
   * Resolves when the broker has the reply in its queue, or says that there is no such queue; else rejects with a
   * retryable error. It may then have arrived all the same.
   */
  async send(address: SnapshotReplyAddress, reply: SnapshotReply, how: HowTold = {}): Promise<void> {
    const { requests } = this.bus;
    // Another gateway has one: it wrote the address down.
    if (requests === undefined)
      throw new ServiceError('BUS_UNAVAILABLE', 'This gateway has no RabbitMQ to send replies by');
    const isRouted = await requests.reply({
      exchange: address.exchange,
      routingKey: address.routingKey,
      correlationId: address.correlationId,
      type: 'snapshot.reply',
      body: bodyOf(address, reply, how),
    });
    replies.inc({ outcome: isRouted ? 'sent' : 'unroutable' });
    if (!isRouted)
      this.settings.logger.warn(
        { queue: address.routingKey, snapshotRequest: reply.request_id, status: reply.status },
        'nobody waits any more for the reply to a snapshot request',
      );
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Controller } from '@nestjs/common';
import { HandleEvent, RpcClient } from '@glimpse/bus';
import {
  type ReceivedEvent,
  type SnapshotReply,
  type SnapshotReplyAddress,
  isServiceError,
  registrySnapshots,
  snapshotEvents,
  toSnapshotReply,
} from '@glimpse/contracts';
import { SnapshotReplies } from './snapshot-replies.js';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** Shorter than the time after which RabbitMQ takes a consumer that does not acknowledge for dead. */
const PATIENCE_MS = 600_000;

/**
 * Sends the replies that were to wait for the end of a snapshot. Whichever gateway gets the event sends them; after a
 * failure all of them again, so that one may come twice.
 */
@Controller()
export class SnapshotEnds {
  constructor(
    private readonly rpc: RpcClient,
    private readonly replies: SnapshotReplies,
  ) {}

  @HandleEvent(snapshotEvents.completed, { delivery: 'service' })
  completed({ payload }: ReceivedEvent<typeof snapshotEvents.completed>): Promise<void> {
    return this.tell(payload.image_id);
  }

  @HandleEvent(snapshotEvents.failed, { delivery: 'service' })
  failed({ payload }: ReceivedEvent<typeof snapshotEvents.failed>): Promise<void> {
    return this.tell(payload.image_id);
  }

  @HandleEvent(snapshotEvents.cancelled, { delivery: 'service' })
  cancelled({ payload }: ReceivedEvent<typeof snapshotEvents.cancelled>): Promise<void> {
    return this.tell(payload.image_id);
  }

  private async tell(imageId: string): Promise<void> {
    const due = await this.rpc.call(registrySnapshots.repliesDue, { imageId });
    if (due === null) return;
    const reply = toSnapshotReply(due.snapshot);
    await Promise.all(due.addresses.map((address) => this.send(address, reply)));
  }

  /** The RabbitMQ of compute may be another one than that of the event, and away for longer than an event is tried again. */
  private async send(address: SnapshotReplyAddress, reply: SnapshotReply): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs)) {
      try {
        return await this.replies.send(address, reply);
      } catch (error) {
        const mayPass = isServiceError(error) && error.isRetryable && this.replies.canSend;
        if (!mayPass || Date.now() + pauseMs > end) throw error;
      }
      await sleep(pauseMs, undefined, { ref: false });
    }
  }
}

import { Controller } from '@nestjs/common';
import { HandleEvent, RpcClient } from '@glimpse/bus';
import { type ReceivedEvent, registrySnapshots, snapshotEvents, toSnapshotReply } from '@glimpse/contracts';
import { SnapshotReplies } from './snapshot-replies.js';

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
    await Promise.all(due.addresses.map((address) => this.replies.send(address, reply)));
  }
}

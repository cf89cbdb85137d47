import type { SentData } from '@glimpse/contracts';
import { Database, placeholders } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import type { Notice } from './notice.js';
import { NotificationWriter } from './notification.writer.js';

/** Notifies of downloads, which gateways tell. */
@Injectable()
export class SentDataService {
  constructor(
    private readonly database: Database,
    private readonly writer: NotificationWriter,
  ) {}

  /** A gateway that does not know whether it was heard says the same again. */
  async note(sent: readonly SentData[]): Promise<void> {
    if (!this.writer.isOn || sent.length === 0) return;
    await this.database.unitOfWork.run(async (tx) => {
      const known = await tx.query<{ message_id: string }>(
        `SELECT message_id FROM notifications WHERE message_id IN (${placeholders(sent)})`,
        sent.map(({ id }) => id),
      );
      const seen = new Set(known.map(({ message_id: id }) => id));
      for (const one of sent)
        if (!seen.has(one.id)) await this.writer.write(tx, one.imageId, [noticeOf(one)], identityOf(one));
    });
  }
}

const identityOf = ({ id, sentAt }: SentData) => ({ messageId: id, occurredAt: Date.parse(sentAt) });

/** Its keys are in the order of Glance's. */
const noticeOf = (sent: SentData): Notice => ({
  type: 'image.send',
  priority: sent.isComplete ? 'INFO' : 'ERROR',
  payload: {
    bytes_sent: sent.bytesSent,
    image_id: sent.imageId,
    owner_id: sent.ownerId,
    receiver_tenant_id: sent.receiverProjectId,
    receiver_user_id: sent.receiverUserId,
    ...(sent.destinationIp === null ? {} : { destination_ip: sent.destinationIp }),
  },
});

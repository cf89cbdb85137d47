import type { SnapshotReplyAddress } from '@glimpse/contracts';

/** A message that can never be carried out, whoever sent it. */
export class BrokenMessage extends Error {
  override readonly name = 'BrokenMessage';

  constructor(
    message: string,
    /** What is kept of it, without secrets. */
    readonly kept: string,
    readonly told: {
      /** Null where it can not be answered. */
      readonly replyTo: SnapshotReplyAddress | null;
      readonly requestId: string | null;
      /** For clients of oslo.messaging: the exception that its own servers raise. */
      readonly remoteType?: string;
    } = { replyTo: null, requestId: null },
  ) {
    super(message);
  }
}

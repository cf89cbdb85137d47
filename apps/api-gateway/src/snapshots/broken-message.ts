import type { SnapshotReplyAddress } from '@glimpse/contracts';
import type { KeptMessage } from './kept-message.js';

/** An exception of Python, by its class and what that is made of. */
export interface RemoteException {
  readonly type: string;
  readonly args: readonly string[];
}

/** A message that can never be carried out, whoever sent it. */
export class BrokenMessage extends Error {
  override readonly name = 'BrokenMessage';

  constructor(
    message: string,
    /** What may be kept of it. */
    readonly kept: KeptMessage,
    readonly told: {
      /** Null where it can not be answered. */
      readonly replyTo: SnapshotReplyAddress | null;
      readonly requestId: string | null;
      /** For clients of oslo.messaging: the exception that its own servers raise. */
      readonly remote?: RemoteException;
    } = { replyTo: null, requestId: null },
  ) {
    super(message);
  }
}

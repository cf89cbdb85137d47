import { Transfer } from '../domain/transfer.js';
import { event } from '../event.js';

/** How uploads and jobs go; the subject is the id of the upload or the job. */
export const transferEvents = {
  /**
   * A live event, about once a second for each transfer and at its ends: stored nowhere, and one that is lost harms
   * nothing.
   */
  progressed: event('transfer.progressed', { payload: Transfer }),
} as const;

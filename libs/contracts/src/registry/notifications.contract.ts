import { z } from 'zod';
import { SentData } from '../domain/notification.js';
import { rpc } from '../rpc.js';

/** Records that one call may bring. */
export const MAX_SENT_DATA = 200;

/** What others notice, for those who are to be notified of it. */
export const registryNotifications = {
  /** Notes that image data was sent. The same records may come again: each is notified of once. */
  dataSent: rpc('registry.notification.dataSent', {
    request: z.object({ sent: z.array(SentData).max(MAX_SENT_DATA) }),
    response: z.object({}),
  }),
} as const;

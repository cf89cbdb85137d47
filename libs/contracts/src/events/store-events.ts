import { z } from 'zod';
import { ReconcileReport } from '../domain/reconcile.js';
import { event } from '../event.js';

/** Facts about stores; the subject is the store's id. */
export const storeEvents = {
  /** It was compared with the database. */
  reconciled: event('store.reconciled', {
    payload: z.object({
      runId: z.string(),
      storeId: z.string(),
      repair: z.boolean(),
      report: ReconcileReport,
    }),
  }),
} as const;

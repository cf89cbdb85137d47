import { z } from 'zod';
import { ByteCount } from '../domain/image.js';
import { FoundData, PromisedData, SetAsideAction, SetAsideData } from '../domain/reconcile.js';
import { rpc } from '../rpc.js';

/** The worker's right to ask: its lease of the job. Without it: LEASE_LOST. */
const OnLease = z.object({ jobId: z.string(), leaseToken: z.string() });

/** Entries of one call at most: keeps a message small. */
export const RECONCILE_BATCH = 100;

/** Comparing a store with the database: the worker tells what is there, the registry decides. */
export const registryReconcile = {
  /** What of the store is nobody's; answers with what is to be set aside, and as what. */
  examine: rpc('registry.reconcile.examine', {
    request: OnLease.extend({ entries: z.array(FoundData).max(RECONCILE_BATCH) }),
    response: z.object({
      setAside: z.array(z.object({ index: z.int(), id: z.string() })),
      /** By their index: neither ours by name nor an image's data. */
      foreign: z.array(z.int()),
    }),
    timeoutMs: 60_000,
  }),
  /** What came of setting one aside. It is put back where an image refers to it by now. Repeatable. */
  settle: rpc('registry.reconcile.settle', {
    request: OnLease.extend({
      id: z.string(),
      outcome: z.enum(['set-aside', 'removed', 'gone', 'changed']),
      /** Where it is set aside. */
      entry: SetAsideData.nullable(),
    }),
    response: z.object({ putBack: z.boolean() }),
    timeoutMs: 60_000,
  }),
  /** What becomes of things that are set aside, in the order of the entries. */
  review: rpc('registry.reconcile.review', {
    request: OnLease.extend({ entries: z.array(SetAsideData).max(RECONCILE_BATCH) }),
    response: z.object({ actions: z.array(SetAsideAction) }),
    timeoutMs: 60_000,
  }),
  /** One was put back or removed, or could not be put back since its place is taken. Repeatable. */
  conclude: rpc('registry.reconcile.conclude', {
    request: OnLease.extend({
      id: z.string(),
      outcome: z.enum(['put-back', 'discarded', 'occupied', 'gone']),
    }),
    response: z.object({ next: SetAsideAction }),
  }),
  /** The rows that say that there is data in the store, a page at a time; null is the first and after the last. */
  promises: rpc('registry.reconcile.promises', {
    request: OnLease.extend({ cursor: z.string().nullable() }),
    response: z.object({ promises: z.array(PromisedData), next: z.string().nullable() }),
    timeoutMs: 30_000,
  }),
  /** Rows whose data is not there, or has another size. */
  report: rpc('registry.reconcile.report', {
    request: OnLease.extend({
      broken: z
        .array(
          z.object({
            promise: PromisedData,
            /** What is there; null where nothing is. */
            found: ByteCount.nullable(),
          }),
        )
        .max(RECONCILE_BATCH),
    }),
    response: z.object({}),
  }),
} as const;

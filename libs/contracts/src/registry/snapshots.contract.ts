import { z } from 'zod';
import { Caller } from '../domain/caller.js';
import { rpc } from '../rpc.js';
import { MAX_REPLY_ADDRESSES, Snapshot, SnapshotReplyAddress } from '../snapshots/snapshot.js';
import { SnapshotOrder } from '../snapshots/snapshot-request.js';

/** Snapshots that compute asks for over the queue. A call with a request's id may be repeated: it is done once. */
export const registrySnapshots = {
  /**
   * Creates the image and sets the job going, or answers how the same request stands. `replyTo` is where its end is told, for
   * one that is not over. Codes: those of creating an image and of an import (IMAGE_INVALID, ACTION_FORBIDDEN, PROPERTY_FORBIDDEN,
   * QUOTA_EXCEEDED, REQUEST_INVALID, STORE_NOT_CONFIGURED), IMAGE_NOT_FOUND and IMAGE_STATUS_CONFLICT (of the parent),
   * SNAPSHOT_REQUEST_CONFLICT.
   */
  request: rpc('registry.snapshot.request', {
    request: z.object({
      ctx: Caller,
      request: SnapshotOrder,
      /** The caller is who a trusted publisher says: what Nova sets of an image is not subject to property protections. */
      isTrusted: z.boolean(),
      replyTo: SnapshotReplyAddress.nullable(),
    }),
    response: Snapshot,
  }),
  /**
   * Ends the snapshot, and answers how it stands: one that has ended stays as it is, and one whose request has not come yet
   * will be refused. Codes: ACTION_FORBIDDEN, REQUEST_INVALID.
   */
  cancel: rpc('registry.snapshot.cancel', {
    request: z.object({ ctx: Caller, requestId: z.string().max(255) }),
    response: Snapshot,
  }),
  /** By the id of the request, or that of the image. Codes: SNAPSHOT_NOT_FOUND, ACTION_FORBIDDEN. */
  show: rpc('registry.snapshot.show', {
    request: z.object({
      ctx: Caller,
      by: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('request'), requestId: z.string().max(255) }),
        z.object({ kind: z.literal('image'), imageId: z.string().max(36) }),
      ]),
    }),
    response: Snapshot,
  }),
  /** For a gateway that learned of the end of a snapshot: how it stands, and who waits for it. Null where it is not known. */
  repliesDue: rpc('registry.snapshot.repliesDue', {
    request: z.object({ imageId: z.string().max(36) }),
    response: z
      .object({ snapshot: Snapshot, addresses: z.array(SnapshotReplyAddress).max(MAX_REPLY_ADDRESSES) })
      .nullable(),
  }),
} as const;

import { z } from 'zod';
import { ByteCount } from '../domain/image.js';
import { SNAPSHOT_SCHEMA_VERSION } from './wire-values.js';

/** What can become of a request that was let in. */
export const snapshotStatuses = ['accepted', 'completed', 'failed', 'cancelled'] as const;
export const SnapshotStatus = z.enum(snapshotStatuses);
export type SnapshotStatus = z.output<typeof SnapshotStatus>;

/** Why something came to nothing: a code of the service, and a sentence. */
export const SnapshotError = z.object({
  code: z.string().max(64),
  message: z.string().max(4_096),
});
export type SnapshotError = z.output<typeof SnapshotError>;

/** A request as it stands. */
export const Snapshot = z.object({
  requestId: z.string(),
  projectId: z.string(),
  /** Null where it was cancelled before its request came; as the next two. */
  instanceId: z.string().nullable(),
  /** Stays when the image was withdrawn. */
  imageId: z.string().nullable(),
  taskId: z.string().nullable(),
  status: SnapshotStatus,
  /** Of one that failed or was cancelled. */
  error: SnapshotError.nullable(),
  /** Of one that is completed. */
  data: z
    .object({
      size: ByteCount.nullable(),
      checksum: z.string().nullable(),
      osHashAlgo: z.string().nullable(),
      osHashValue: z.string().nullable(),
    })
    .nullable(),
  /** ISO 8601 in UTC, as the next. */
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type Snapshot = z.output<typeof Snapshot>;

/** What the service answers to a message about a snapshot. */
export const SnapshotReply = z.object({
  schema_version: z.string().max(16).describe('Version of the message.'),
  type: z.literal('snapshot.reply'),
  request_id: z.string().max(255).nullable().describe('Null where the message did not tell it.'),
  status: z
    .enum([...snapshotStatuses, 'rejected'])
    .describe('`rejected`: nothing was made of the message, and the same one again would be rejected again.'),
  image_id: z.string().max(36).nullable(),
  task_id: z.string().max(36).nullable().describe('The task by which the API shows the progress.'),
  error: SnapshotError.nullable().describe('Why it was rejected, failed or was cancelled.'),
  size: ByteCount.nullable()
    .optional()
    .describe('Bytes of the image; as the next three when it is completed.'),
  checksum: z.string().max(32).nullable().optional().describe('MD5.'),
  os_hash_algo: z.string().max(64).nullable().optional(),
  os_hash_value: z.string().max(128).nullable().optional(),
});
export type SnapshotReply = z.output<typeof SnapshotReply>;

/** What compute is told of a request as it stands. */
export function toSnapshotReply(snapshot: Snapshot): SnapshotReply {
  const { requestId, status, imageId, taskId, error, data } = snapshot;
  return {
    schema_version: SNAPSHOT_SCHEMA_VERSION,
    type: 'snapshot.reply',
    request_id: requestId,
    status,
    image_id: imageId,
    task_id: taskId,
    error,
    ...(data === null
      ? {}
      : {
          size: data.size,
          checksum: data.checksum,
          os_hash_algo: data.osHashAlgo,
          os_hash_value: data.osHashValue,
        }),
  };
}

/** The reply to a message of which nothing was made. */
export const rejectedSnapshotReply = (requestId: string | null, error: SnapshotError): SnapshotReply => ({
  schema_version: SNAPSHOT_SCHEMA_VERSION,
  type: 'snapshot.reply',
  request_id: requestId,
  status: 'rejected',
  image_id: null,
  task_id: null,
  error,
});

/** Where a reply goes on the broker that the request came from. */
export const SnapshotReplyAddress = z.object({
  /** Empty for the default exchange. */
  exchange: z.string().max(255),
  routingKey: z.string().max(255),
  correlationId: z.string().max(255).nullable(),
  /** The message itself, or in the envelope of oslo.messaging. */
  form: z.enum(['plain', 'oslo']),
});
export type SnapshotReplyAddress = z.output<typeof SnapshotReplyAddress>;

/** Addresses to which the end of one request is told: of those beyond it the newest are. */
export const MAX_REPLY_ADDRESSES = 16;

import {
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { abortUpload } from './multipart-upload.js';
import { MAX_PARTS } from './part-plan.js';
import { type ObjectHead, type S3Connection, UPLOAD_METADATA } from './s3-connection.js';

/** Larger objects are copied in parts, so that no request takes long. */
const COPY_AT_ONCE_BYTES = 268_435_456;

export interface Copy {
  readonly from: string;
  readonly to: string;
  /** The object that is meant; another one is not copied. */
  readonly head: ObjectHead;
  readonly signal: AbortSignal | undefined;
  /** Bytes from which on it is copied in parts, of that size. */
  readonly partBytes?: number;
}

const sourceOf = ({ bucket }: S3Connection, key: string): string =>
  `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;

/** Copies an object within the bucket, on the server. Never replaces one: rejects with `STORE_OBJECT_DUPLICATE`. */
export async function copyObject(connection: S3Connection, copy: Copy): Promise<void> {
  await connection.refuseExisting(copy.to, copy.signal);
  const { partBytes = COPY_AT_ONCE_BYTES, head } = copy;
  if (head.size <= partBytes) await copyAtOnce(connection, copy);
  else await copyInParts(connection, copy, Math.max(partBytes, Math.ceil(head.size / MAX_PARTS)));
}

async function copyAtOnce(connection: S3Connection, { from, to, head, signal }: Copy): Promise<void> {
  const { client, bucket } = connection;
  await connection.unlessExists(
    to,
    (condition) =>
      client.send(
        new CopyObjectCommand({
          ...condition,
          Bucket: bucket,
          Key: to,
          CopySource: sourceOf(connection, from),
          CopySourceIfMatch: head.etag,
        }),
        { abortSignal: signal },
      ),
    signal,
  );
}

async function copyInParts(
  connection: S3Connection,
  { from, to, head, signal }: Copy,
  partBytes: number,
): Promise<void> {
  const { client, bucket: Bucket } = connection;
  const Metadata: Record<string, string> =
    head.uploadId === undefined ? {} : { [UPLOAD_METADATA]: head.uploadId };
  const { UploadId = '' } = await client.send(
    new CreateMultipartUploadCommand({
      Bucket,
      Key: to,
      ContentType: 'application/octet-stream',
      Metadata,
    }),
    { abortSignal: signal },
  );
  try {
    const Parts: CompletedPart[] = [];
    for (let at = 0; at < head.size; at += partBytes) {
      const PartNumber = Parts.length + 1;
      const { CopyPartResult } = await client.send(
        new UploadPartCopyCommand({
          Bucket,
          Key: to,
          UploadId,
          PartNumber,
          CopySource: sourceOf(connection, from),
          CopySourceIfMatch: head.etag,
          CopySourceRange: `bytes=${at}-${Math.min(at + partBytes, head.size) - 1}`,
        }),
        { abortSignal: signal },
      );
      Parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
    }
    await connection.unlessExists(
      to,
      (condition) =>
        client.send(
          new CompleteMultipartUploadCommand({
            ...condition,
            Bucket,
            Key: to,
            UploadId,
            MultipartUpload: { Parts },
          }),
          { abortSignal: signal },
        ),
      signal,
    );
  } catch (error) {
    await abortUpload(connection, { key: to, id: UploadId }, undefined);
    throw error;
  }
}

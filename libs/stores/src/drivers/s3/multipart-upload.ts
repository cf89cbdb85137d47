import { setTimeout as delay } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { PartBuffer } from './part-buffer.js';
import { type S3Connection, UPLOAD_METADATA } from './s3-connection.js';
import { nameOf } from './s3-errors.js';

/** Parts that are nearly sent when an upload is given up are waited for: what comes after its end would stay behind. */
const SETTLE_MS = 5_000;

/** An object that is uploaded in parts, several at once. */
export class MultipartUpload {
  private readonly parts: CompletedPart[] = [];
  private readonly onTheirWay = new Set<Promise<void>>();
  private readonly ended = new AbortController();
  private failure: { readonly error: unknown } | undefined;

  private constructor(
    private readonly connection: S3Connection,
    private readonly key: string,
    private readonly id: string,
    /** Called when a part can't be sent: the rest of the data is for nothing then. */
    private readonly onFailure: (error: unknown) => void,
  ) {}

  static async begin(
    connection: S3Connection,
    { key, uploadId, signal }: { key: string; uploadId: string; signal: AbortSignal },
    onFailure: (error: unknown) => void,
  ): Promise<MultipartUpload> {
    const { UploadId } = await connection.client.send(
      new CreateMultipartUploadCommand({
        Bucket: connection.bucket,
        Key: key,
        ContentType: 'application/octet-stream',
        Metadata: { [UPLOAD_METADATA]: uploadId },
      }),
      { abortSignal: signal },
    );
    if (UploadId === undefined) throw new Error('The server began an upload that has no id');
    return new MultipartUpload(connection, key, UploadId, onFailure);
  }

  /** How many parts are being sent. */
  get inFlight(): number {
    return this.onTheirWay.size;
  }

  /** Begins to send a part; `whenSent` is called as soon as its memory is free. Returns what names it for `isOnItsWay`. */
  send(partNumber: number, part: PartBuffer, whenSent: () => void): Promise<void> {
    const sending = this.sendPart(partNumber, part)
      .catch((error: unknown) => {
        this.failure ??= { error };
        this.onFailure(error);
      })
      .finally(() => {
        this.onTheirWay.delete(sending);
        whenSent();
      });
    this.onTheirWay.add(sending);
    return sending;
  }

  isOnItsWay(sending: Promise<void>): boolean {
    return this.onTheirWay.has(sending);
  }

  /** Resolves when one of the parts on their way has been sent, or has failed. */
  async whenOneIsSent(): Promise<void> {
    await Promise.race(this.onTheirWay);
  }

  /** Resolves when all parts have been sent. Rejects with what the first that failed failed with. */
  async whenAllAreSent(): Promise<void> {
    await Promise.all(this.onTheirWay);
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** Makes an object of the parts, unless there is one. */
  async complete(signal: AbortSignal): Promise<void> {
    const { connection, key, id } = this;
    // Some servers pass over the condition without a word.
    await connection.refuseExisting(key, signal);
    const Parts = this.parts.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    await connection.unlessExists(
      key,
      (condition) =>
        connection.client.send(
          new CompleteMultipartUploadCommand({
            ...condition,
            Bucket: connection.bucket,
            Key: key,
            UploadId: id,
            MultipartUpload: { Parts },
          }),
          { abortSignal: signal },
        ),
      signal,
    );
  }

  /** Gives the upload up and removes its parts; one that is complete stays as it is. */
  async abort(signal: AbortSignal): Promise<void> {
    const settled = new AbortController();
    await Promise.race([
      Promise.all(this.onTheirWay),
      delay(SETTLE_MS, undefined, { signal: AbortSignal.any([signal, settled.signal]) }).catch(
        () => undefined,
      ),
    ]);
    settled.abort();
    this.ended.abort();
    await Promise.all(this.onTheirWay);
    await abortUpload(this.connection, { key: this.key, id: this.id }, signal);
  }

  private async sendPart(partNumber: number, part: PartBuffer): Promise<void> {
    const { connection, key, id } = this;
    const { ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 } =
      await connection.client.send(
        new UploadPartCommand({
          Bucket: connection.bucket,
          Key: key,
          UploadId: id,
          PartNumber: partNumber,
          Body: part.bytes,
        }),
        { abortSignal: this.ended.signal },
      );
    const checksums = { ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 };
    this.parts.push({ PartNumber: partNumber, ETag, ...checksums });
  }
}

/** Removes the parts of an upload that is not complete. One that is gone, or complete, counts as removed. */
export async function abortUpload(
  { client, bucket }: S3Connection,
  { key, id }: { readonly key: string; readonly id: string },
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: id }), {
      abortSignal: signal,
    });
  } catch (error) {
    // Swift has no other name for an upload that was completed.
    if (nameOf(error) !== 'NoSuchUpload' && nameOf(error) !== 'NoSuchKey') throw error;
  }
}

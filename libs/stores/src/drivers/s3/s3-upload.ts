import type { Readable } from 'node:stream';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Logger } from '@glimpse/observability';
import type { WriteOptions } from '../../store-driver.js';
import { transferChunks } from '../../transfer-chunks.js';
import { MultipartUpload } from './multipart-upload.js';
import { PartBuffer } from './part-buffer.js';
import type { PartMemory } from './part-memory.js';
import { type PartPlan, planParts } from './part-plan.js';
import { removeUnchanged } from './remove-unchanged.js';
import { type ObjectHead, type S3Connection, UPLOAD_METADATA } from './s3-connection.js';
import { nameOf } from './s3-errors.js';
import type { S3Options } from './s3.options.js';

/** How long the remains of a failed upload are tried to be removed; later they are found by their age. */
const CLEAN_UP_MS = 30_000;

export interface UploadParts {
  readonly connection: S3Connection;
  readonly options: S3Options;
  readonly memory: PartMemory;
  readonly logger: Logger;
}

/**
 * One object on its way into the bucket. Data that fits into one part is sent at once when its end is known; other data
 * in parts, of which some are sent while the next are gathered.
 */
export class S3Upload {
  private readonly plan: PartPlan;
  /** Ends the reading when the client goes away and when the store fails. */
  private readonly ended = new AbortController();
  private readonly signal: AbortSignal;
  private multipart: MultipartUpload | undefined;
  private part: PartBuffer | undefined;
  private partNumber = 1;
  /** A buffer whose part was sent. More than one would be memory that nobody counts. */
  private free: PartBuffer | undefined;
  private mayExist = false;
  private size = 0;

  constructor(
    private readonly parts: UploadParts,
    private readonly key: string,
    private readonly write: WriteOptions,
  ) {
    this.plan = planParts(parts.options, write.expectedSize);
    const { signal } = write;
    this.signal = signal === undefined ? this.ended.signal : AbortSignal.any([signal, this.ended.signal]);
  }

  /** Stores the stream and resolves with its size; rejects with whatever failed, and nothing is left then. */
  async run(data: Readable): Promise<number> {
    try {
      await this.send(data);
      return this.size;
    } catch (error) {
      // The reading fails as well when the store does.
      const reason: unknown = this.ended.signal.aborted ? this.ended.signal.reason : error;
      await this.cleanUp();
      throw reason;
    }
  }

  private async send(data: Readable): Promise<void> {
    for await (const chunk of transferChunks(data, this.signal)) {
      this.size += chunk.length;
      for (let offset = 0; offset < chunk.length;) {
        if (this.part?.isFull === true) await this.sendPart(this.part);
        this.part ??= this.newPart();
        offset += this.part.take(chunk, offset);
      }
      this.write.releaseChunk?.(chunk);
    }
    if (this.multipart === undefined)
      await this.publish(() => this.sendWhole(this.part?.bytes ?? Buffer.alloc(0)));
    else {
      if (this.part !== undefined) await this.sendPart(this.part);
      const { multipart } = this;
      await multipart.whenAllAreSent();
      await this.publish(() => multipart.complete(this.signal));
    }
  }

  private newPart(): PartBuffer {
    const size = this.plan.sizeOf(this.partNumber);
    const { free } = this;
    this.free = undefined;
    if (free?.capacity !== size) return new PartBuffer(size);
    free.reset();
    return free;
  }

  /** Begins to send a full part. Resolves when there may be another. */
  private async sendPart(part: PartBuffer): Promise<void> {
    const { connection, options, memory } = this.parts;
    const { key, signal } = this;
    const { uploadId } = this.write;
    this.multipart ??= await MultipartUpload.begin(connection, { key, uploadId, signal }, (error) =>
      this.ended.abort(error),
    );
    const { multipart } = this;
    let shared = 0;
    const sending = multipart.send(this.partNumber++, part, () => {
      this.free = part;
      memory.giveBack(shared);
    });
    this.part = undefined;
    const isShort = () => {
      if (multipart.inFlight >= options.threads || !memory.tryTake(part.capacity)) return true;
      shared = part.capacity;
      return false;
    };
    while (multipart.isOnItsWay(sending) && isShort()) await multipart.whenOneIsSent();
    signal.throwIfAborted();
  }

  private async sendWhole(Body: Buffer): Promise<void> {
    const { connection } = this.parts;
    const { key: Key, signal } = this;
    await connection.unlessExists(
      Key,
      (condition) =>
        connection.client.send(
          new PutObjectCommand({
            ...condition,
            Bucket: connection.bucket,
            Key,
            Body,
            ContentType: 'application/octet-stream',
            Metadata: { [UPLOAD_METADATA]: this.write.uploadId },
          }),
          { abortSignal: signal },
        ),
      signal,
    );
  }

  /** An answer that was lost, and the refusal of the second try that followed, are no failure: the object is there. */
  private async publish(send: () => Promise<void>): Promise<void> {
    this.mayExist = true;
    try {
      await send();
    } catch (error) {
      if (this.signal.aborted || !(await this.isStored())) throw error;
    }
  }

  private async isStored(): Promise<boolean> {
    const head = await this.parts.connection.findHead(this.key, this.signal).catch(() => undefined);
    return head?.uploadId === this.write.uploadId && head.size === this.size;
  }

  /** Never rejects: what it can't remove now is found by its age. */
  private async cleanUp(): Promise<void> {
    const { connection, logger } = this.parts;
    const abortSignal = AbortSignal.timeout(CLEAN_UP_MS);
    try {
      await this.multipart?.abort(abortSignal);
      if (!this.mayExist) return;
      const isOurs = (head: ObjectHead) => head.uploadId === this.write.uploadId;
      await removeUnchanged(connection, this.key, isOurs, abortSignal);
    } catch (error) {
      logger.warn(
        { imageId: this.key, reason: nameOf(error) },
        'the remains of a failed upload could not be removed; they will be when they are old',
      );
    }
  }
}

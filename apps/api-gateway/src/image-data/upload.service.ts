import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { RpcClient } from '@glimpse/bus';
import {
  ServiceError,
  type Caller,
  type StoredData,
  isServiceError,
  registryImages,
} from '@glimpse/contracts';
import { type StoredImage, TransferPipeline } from '@glimpse/pipeline';
import { InstanceLease, isDoneWithin } from '@glimpse/runtime';
import { StoreRegistry } from '@glimpse/stores';
import { GatewaySettings } from '../gateway-settings.js';
import { UploadProgress } from '../progress/upload-progress.js';
import { isOutcomeUnknown, retryUntilKnown } from './retry-until-known.js';
import { countTransfer, whileTransferring } from './transfer-metrics.js';
import type { AdmittedUpload, Upload, UploadTarget } from './upload-target.js';

export interface UploadRequest {
  readonly ctx: Caller;
  readonly imageId: string;
  readonly source: Readable;
  /** Bytes, where they were announced. */
  readonly size: number | undefined;
  /** Undefined for the default store. */
  readonly storeId: string | undefined;
  readonly target: UploadTarget;
  /** Called when the upload was let in and its data is wanted. */
  readonly onAccepted: () => void;
}

/** Brings image data from a client into a store (or into staging), and tells the registry. */
@Injectable()
export class UploadService {
  private readonly running = new Set<Promise<void>>();

  constructor(
    private readonly rpc: RpcClient,
    private readonly stores: StoreRegistry,
    private readonly pipeline: TransferPipeline,
    private readonly lease: InstanceLease,
    private readonly progress: UploadProgress,
    private readonly settings: GatewaySettings,
  ) {}

  /**
   * Resolves when the image is active, or its data is staged. When it rejects the image is queued again and nothing is left in the store,
   * or the registry sees to both.
   */
  async upload(request: UploadRequest): Promise<void> {
    const running = whileTransferring('in', () => this.run(request));
    this.running.add(running);
    try {
      await running;
    } finally {
      this.running.delete(running);
    }
  }

  /** Resolves when the uploads that run now have ended, those whose clients are gone included. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.running);
  }

  private async run(request: UploadRequest): Promise<void> {
    const upload: Upload = { ctx: request.ctx, id: request.imageId, uploadId: randomUUID() };
    const signal = AbortSignal.any([this.lease.signal, this.settings.transfersEnd]);
    try {
      const admitted = await this.begin(upload, request);
      const stored = await this.store(upload, admitted, request, signal);
      await this.commit(upload, admitted, request.target, stored);
      if (stored.formatWarning !== null)
        this.settings.logger.warn(
          { imageId: upload.id, reason: stored.formatWarning },
          'an image has odd data',
        );
      countTransfer('in', 'ok', stored.size);
    } catch (error) {
      countTransfer('in', isServiceError(error) ? error.code : 'INTERNAL');
      throw error;
    }
  }

  private async begin(upload: Upload, { storeId, size, target }: UploadRequest): Promise<AdmittedUpload> {
    try {
      return await target.begin(this.rpc, upload, {
        instanceId: this.settings.instanceId,
        storeId: storeId ?? this.stores.defaultId,
        size: size ?? null,
        formats: this.settings.config.formats,
      });
    } catch (error) {
      // It may have begun: then the image must not stay in saving.
      if (isOutcomeUnknown(error))
        void this.abort(upload, new Error('The start of the upload was not confirmed.'));
      throw error;
    }
  }

  private async store(
    upload: Upload,
    admitted: AdmittedUpload,
    request: UploadRequest,
    signal: AbortSignal,
  ): Promise<StoredImage> {
    const { images, limits } = this.settings.config;
    const progress = this.progress.watch(upload.uploadId, request.size);
    try {
      if ((request.size ?? 0) > limits.imageSizeCap)
        throw new ServiceError(
          'QUOTA_EXCEEDED',
          `The image is larger than the limit of ${limits.imageSizeCap} bytes.`,
        );
      request.onAccepted();
      return await this.pipeline.storeImage({
        driver: this.stores.get(admitted.storeId),
        key: admitted.key,
        source: request.source,
        ownsChunks: true,
        uploadId: upload.uploadId,
        hashAlgorithm: request.target.isHashed ? images.hashingAlgorithm : null,
        md5: request.target.isHashed && images.md5Checksum,
        sizeCap: Math.min(limits.imageSizeCap, admitted.sizeCap ?? Infinity),
        expectedSize: request.size,
        inspector: admitted.inspector,
        signal,
        onProgress: (bytesDone) => progress.bytes(bytesDone),
        onRead: (size) => progress.phase('storing', size, size),
      });
    } catch (error) {
      // A store that does not answer as it should may not have removed what it had.
      const hasLeftovers = isServiceError(error, 'STORE_UNAVAILABLE');
      await this.abort(upload, error, hasLeftovers);
      if (signal.aborted) throw signal.reason;
      // Glance answers 410 where a store is read-only.
      if (isServiceError(error, 'STORE_OPERATION_UNSUPPORTED'))
        throw new ServiceError('IMAGE_LOST_RACE', `The store "${admitted.storeId}" takes no data.`, {
          cause: error,
        });
      throw error;
    } finally {
      progress.end();
    }
  }

  /**
   * Commits, however long it takes to learn the outcome; the client waits for one lease at most. While the outcome is
   * unknown the data may be the image's, so it is not touched.
   */
  private async commit(
    upload: Upload,
    admitted: AdmittedUpload,
    target: UploadTarget,
    stored: StoredImage,
  ): Promise<void> {
    const described = this.describe(admitted, stored);
    const committing = retryUntilKnown(
      () => target.commit(this.rpc, upload, described),
      this.lease.released,
    ).catch(async (error: unknown) => {
      await this.discard(upload, admitted, stored, error);
      throw error;
    });
    if (await isDoneWithin(committing, this.settings.config.leases.instanceLeaseMs)) return;
    committing.catch((error: unknown) =>
      this.settings.logger.warn({ err: error, imageId: upload.id }, 'an upload was not committed'),
    );
    throw new ServiceError('RPC_TIMEOUT', 'It is not known whether the upload was committed');
  }

  private describe({ storeId }: AdmittedUpload, stored: StoredImage): StoredData {
    return {
      location: this.stores.toImageLocation(storeId, stored),
      size: stored.size,
      virtualSize: stored.virtualSize,
      checksum: stored.checksum,
      osHashAlgo: stored.osHashAlgo,
      osHashValue: stored.osHashValue,
    };
  }

  /** After a refused commit: removes what was stored, where it is certain that it is ours. */
  private async discard(
    upload: Upload,
    { storeId }: AdmittedUpload,
    stored: StoredImage,
    reason: unknown,
  ): Promise<void> {
    // Whoever took the lease for dead removes what it left; the key may already be another upload's.
    if (isOutcomeUnknown(reason) || isServiceError(reason, 'LEASE_LOST')) return;
    let hasLeftovers = false;
    try {
      await this.stores.get(storeId).delete(stored.location, {});
    } catch (error) {
      hasLeftovers = true;
      this.settings.logger.warn({ err: error, imageId: upload.id }, 'a worker has to remove unwanted data');
    }
    await this.abort(upload, reason, hasLeftovers);
  }

  /** Puts the image back to queued; when the registry does not answer, as soon as it does. */
  private async abort(upload: Upload, cause: unknown, hasLeftovers = false): Promise<void> {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const why = { reason, ...(isServiceError(cause) ? { code: cause.code } : {}) };
    const call = () => this.rpc.call(registryImages.abortUpload, { ...upload, ...why, hasLeftovers });
    try {
      await call();
    } catch (error) {
      const { logger } = this.settings;
      logger.warn({ err: error, imageId: upload.id }, 'could not put the image back to queued');
      if (!isOutcomeUnknown(error)) return;
      retryUntilKnown(call, this.lease.released).catch((last: unknown) =>
        logger.warn({ err: last, imageId: upload.id }, 'the image is left to the registry'),
      );
    }
  }
}

import type { Image } from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { ImageReader } from '../images/image-reader.js';
import { RegistrySettings } from '../registry-settings.js';
import { imagePayload, uploadPayload, withStores } from './image-payload.js';
import { type Notice, info } from './notice.js';
import { NotificationWriter } from './notification.writer.js';
import { uploadErrorText } from './upload-error-text.js';

/** Why data did not become an image's. */
export interface UploadFailure {
  readonly reason: string;
  /** The code of the error, where it is known. */
  readonly code?: string | undefined;
}

/** What an import stored, and where it could not. */
export interface ImportNotice {
  /** As it was when it was imported. */
  readonly before: Image;
  /** As it is now. */
  readonly after: Image;
  readonly storeIds: readonly string[];
  readonly failed: readonly { readonly storeId: string; readonly reason: string }[];
  /** The image had data before. */
  readonly isCopy: boolean;
}

/**
 * Notifies of what becomes of images' data, in the steps in which Glance does it (spec of its sequences). Each method
 * does nothing, and reads nothing, where nobody is notified.
 */
@Injectable()
export class ImageNotices {
  constructor(
    private readonly writer: NotificationWriter,
    private readonly reader: ImageReader,
    private readonly settings: RegistrySettings,
  ) {}

  /** It changed in a way that no event of ours tells. */
  async changed(tx: Transaction, imageId: string): Promise<void> {
    await this.say(tx, imageId, (image) => [updated(image)]);
  }

  /** Data for it is being received, and goes into that store. */
  async uploadBegan(tx: Transaction, imageId: string, storeId: string): Promise<void> {
    await this.say(tx, imageId, (image) => [updated(image), this.prepared(image, storeId)]);
  }

  /** Its data is there: the image is active. */
  async uploaded(tx: Transaction, image: Image): Promise<void> {
    await this.writer.write(tx, image.id, [
      info('image.upload', uploadPayload(image)),
      info('image.activate', imagePayload(image)),
    ]);
  }

  /** Nothing came of the data, and the image is queued again; or it was deleted meanwhile. */
  async uploadFailed(tx: Transaction, imageId: string, failure: UploadFailure): Promise<void> {
    if (!this.writer.isOn) return;
    const image = (await this.reader.findIn(tx, imageId))?.image;
    const notices =
      image === undefined
        ? [failed(imageId, { ...failure, code: 'IMAGE_NOT_FOUND' })]
        : [failed(imageId, failure), updated(image)];
    await this.writer.write(tx, imageId, notices);
  }

  /** A worker is at work on its import. `isNew`: the image was made for it, and nobody was told of it yet. */
  async importBegan(
    tx: Transaction,
    imageId: string,
    { isCopy, isNew }: { readonly isCopy: boolean; readonly isNew: boolean },
  ): Promise<void> {
    await this.say(tx, imageId, (image) => [
      ...(isNew ? [info('image.create', imagePayload(asCreated(image)))] : []),
      updated(image),
      ...(isCopy ? [updated(image)] : []),
    ]);
  }

  /** Its data is in some stores: what was done in each, one after the other. */
  async imported(tx: Transaction, imported: ImportNotice): Promise<void> {
    if (!this.writer.isOn) return;
    const { before, after, storeIds, failed: failures, isCopy } = imported;
    const all = [...storeIds, ...failures.map(({ storeId }) => storeId)];
    const activating = isCopy ? undefined : this.activatingStore(storeIds, failures.length > 0);
    let isActive = isCopy;
    const notices = all.flatMap((storeId, index) => {
      const failure = failures.find((one) => one.storeId === storeId);
      const failedSoFar = failures.slice(0, Math.max(0, index - storeIds.length)).map((one) => one.storeId);
      const left = { importing: all.slice(index), failed: failedSoFar };
      const beforeWrite = this.prepared(withStores(isActive ? after : before, left), storeId);
      if (failure !== undefined) {
        const marks = { importing: all.slice(index + 1), failed: [...failedSoFar, storeId] };
        return [beforeWrite, failed(after.id, failure), updated(withStores(after, marks))];
      }
      isActive ||= storeId === activating;
      const written = { ...after, status: isActive ? after.status : before.status };
      return [
        beforeWrite,
        info('image.upload', uploadPayload(withStores(written, left))),
        ...(storeId === activating ? [info('image.activate', imagePayload(withStores(written, left)))] : []),
        updated(withStores(written, { ...left, importing: all.slice(index + 1) })),
      ];
    });
    await this.writer.write(tx, after.id, notices);
  }

  /** Nothing came of its import: of what was written to stores, or of data that could not be had at all. */
  async importFailed(
    tx: Transaction,
    before: Image,
    { storeIds, ...failure }: UploadFailure & { readonly storeIds: readonly string[] },
  ): Promise<void> {
    await this.say(tx, before.id, (after) => [
      ...storeIds.flatMap((storeId) => [this.prepared(before, storeId), failed(before.id, failure)]),
      updated(after),
    ]);
  }

  /** All must succeed unless the import went on past a failure: then the first made the image active. */
  private activatingStore(storeIds: readonly string[], hasFailures: boolean): string | undefined {
    return hasFailures ? storeIds[0] : storeIds.at(-1);
  }

  private prepared(image: Image, storeId: string): Notice {
    const backend = this.settings.config.isMultiStore ? { backend: storeId } : {};
    return info('image.prepare', { ...uploadPayload(image), ...backend });
  }

  private async say(
    tx: Transaction,
    imageId: string,
    notices: (image: Image) => readonly Notice[],
  ): Promise<void> {
    if (!this.writer.isOn) return;
    const stored = await this.reader.findIn(tx, imageId);
    if (stored !== undefined) await this.writer.write(tx, stored.image.id, notices(stored.image));
  }
}

const updated = (image: Image): Notice => info('image.update', imagePayload(image));

const failed = (imageId: string, { reason, code }: UploadFailure): Notice => ({
  type: 'image.upload',
  priority: 'ERROR',
  payload: uploadErrorText(imageId, reason, code),
});

/** Without what its import wrote since. */
function asCreated(image: Image): Image {
  const properties = Object.entries(image.properties).filter(([name]) => !name.startsWith('os_glance_'));
  return {
    ...image,
    status: 'queued',
    updatedAt: image.createdAt,
    properties: Object.fromEntries(properties),
  };
}

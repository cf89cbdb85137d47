import {
  type Caller,
  type ConversionRequest,
  type Image,
  type NewImage,
  ServiceError,
  isInternalProperty,
} from '@glimpse/contracts';
import { Database, type Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { HeldImages } from '../images/held-images.js';
import { ImageReader } from '../images/image-reader.js';
import { ImagesService } from '../images/images.service.js';
import type { StoredImage } from '../images/stored-image.js';
import { PolicyEngine, imageNotFound } from '../policy/policy.engine.js';
import { PropertyProtection } from '../property-protection/property-protection.js';
import { ProjectQuotas } from '../quotas/project-quotas.js';
import { RegistrySettings } from '../registry-settings.js';
import { ImportLauncher } from './import-launcher.js';
import { importTargets } from './import-targets.js';

const conflict = (message: string) => new ServiceError('IMAGE_STATUS_CONFLICT', message);

/** Disks that can be converted; of the others there is no other form. */
const CONVERTIBLE: ReadonlySet<string> = new Set(['raw', 'qcow2', 'vmdk', 'vhd', 'vhdx', 'vdi', 'gpt']);

/** Properties that are about the bytes of an image, and not true of others. */
const isAboutData = (name: string) =>
  isInternalProperty(name) ||
  name.startsWith('img_signature') ||
  /^owner_specified\.openstack\.(md5|sha256|object)$/.test(name);

/** Makes new images of the disks of others, in another format. The image that is there is never touched. */
@Injectable()
export class ConversionsService {
  constructor(
    private readonly database: Database,
    private readonly images: ImagesService,
    private readonly reader: ImageReader,
    private readonly held: HeldImages,
    private readonly launcher: ImportLauncher,
    private readonly policy: PolicyEngine,
    private readonly protection: PropertyProtection,
    private readonly quotas: ProjectQuotas,
    private readonly settings: RegistrySettings,
  ) {}

  /**
   * Answers with the new image, which is `importing`. Callers may do what they could by a download and an upload. Codes:
   * IMAGE_NOT_FOUND, ACTION_FORBIDDEN, IMAGE_STATUS_CONFLICT, REQUEST_INVALID, QUOTA_EXCEEDED, those of stores.
   */
  async begin(ctx: Caller, id: string, request: ConversionRequest): Promise<Image> {
    if (!this.settings.config.import.conversion.onRequest)
      throw new ServiceError('ACTION_FORBIDDEN', 'Images are not converted on request here.');
    // What of the image the caller may see is what the new one has.
    const seen = await this.images.get(ctx, id);
    await this.source(this.database, ctx, id, request);
    const newId = await this.images.createWith(ctx, this.newImage(ctx, seen, request), async (tx, image) => {
      await this.launch(tx, ctx, { id, image, request });
      return image.id;
    });
    return this.images.get(ctx, newId);
  }

  private async launch(
    tx: Transaction,
    ctx: Caller,
    { id, image: { id: newId }, request }: { id: string; image: Image; request: ConversionRequest },
  ): Promise<void> {
    const { image: old, locations } = await this.source(tx, ctx, id, request);
    const { image } = await this.held.hold(tx, newId);
    const targets = { ...request, headerStore: null, allStores: false, allStoresMustSucceed: true };
    const storeIds = importTargets({ ...targets, method: { name: 'convert' } }, [], this.settings.config);
    await this.quotas.admitStaging(tx, ctx, image.owner, null);
    const left = (await this.quotas.remaining(tx, ctx, image.owner)) ?? Number.POSITIVE_INFINITY;
    const { size, checksum, osHashAlgo, osHashValue, diskFormat, containerFormat } = old;
    const converted = { name: 'convert', image_id: id, disk_format: request.diskFormat };
    await this.launcher.launch(tx, ctx, {
      image,
      type: 'api_image_import',
      input: { image_id: newId, import_req: { method: converted }, backend: storeIds },
      admission: { left },
      source: {
        kind: 'image',
        locations: [...locations],
        known: { size, checksum, osHashAlgo, osHashValue },
      },
      storeIds,
      allMustSucceed: true,
      steps: [{ name: 'convert', diskFormat: request.diskFormat }],
      diskFormat: diskFormat ?? '',
      containerFormat: containerFormat ?? '',
    });
  }

  /** The image that is to be converted, if the caller may have its data. */
  private async source(
    sql: Database | Transaction,
    ctx: Caller,
    id: string,
    { diskFormat }: ConversionRequest,
  ): Promise<StoredImage> {
    const stored = await this.reader.findIn(sql, id);
    if (stored === undefined) throw imageNotFound(id);
    const { image } = stored;
    await this.policy.enforceOnImage(sql, 'download_image', ctx, image);
    if (image.status !== 'active')
      throw conflict(`Only active images are converted: this one is ${image.status}`);
    if (image.containerFormat !== 'bare' || !CONVERTIBLE.has(image.diskFormat ?? ''))
      throw conflict(
        `Images of disk_format ${image.diskFormat} and container_format ${image.containerFormat} cannot be converted`,
      );
    if (image.diskFormat === diskFormat)
      throw conflict(`The disk_format of the image is ${diskFormat} already`);
    return stored;
  }

  private newImage(ctx: Caller, seen: Image, { diskFormat, name }: ConversionRequest): NewImage {
    const properties = Object.entries(seen.properties).filter(
      ([property]) => !isAboutData(property) && this.protection.allows(ctx, 'create', property),
    );
    return {
      name: name ?? seen.name,
      visibility: 'private',
      diskFormat,
      containerFormat: 'bare',
      minDisk: seen.minDisk,
      minRam: seen.minRam,
      tags: [...seen.tags],
      properties: Object.fromEntries(properties),
    };
  }
}

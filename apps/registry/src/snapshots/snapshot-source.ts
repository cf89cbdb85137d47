import type { Config } from '@glimpse/config';
import {
  type Caller,
  type ImportSource,
  type ImportStep,
  ServiceError,
  type SnapshotOrder,
  problemWithSnapshotScheme,
} from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { ImageReader } from '../images/image-reader.js';
import { PolicyEngine, imageNotFound } from '../policy/policy.engine.js';
import { RegistrySettings } from '../registry-settings.js';

type Source = Extract<ImportSource, { kind: 'snapshot' }>;
type Incremental = NonNullable<SnapshotOrder['source']['incremental']>;

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);
const conflict = (message: string) => new ServiceError('IMAGE_STATUS_CONFLICT', message);

/** What can be made of disks of these formats, and of which. */
const CONVERTIBLE: ReadonlySet<string> = new Set(['raw', 'qcow2', 'vmdk', 'vhd', 'vhdx', 'vdi']);
const OUTCOMES: ReadonlySet<string> = new Set(['raw', 'qcow2', 'vmdk']);
/** Disks that blocks of another one can be laid over. */
const BASES: ReadonlySet<string> = new Set(['raw', 'qcow2']);

/** From where the disk of a snapshot comes, and what is done with it. */
@Injectable()
export class SnapshotSources {
  constructor(
    private readonly reader: ImageReader,
    private readonly policy: PolicyEngine,
    private readonly settings: RegistrySettings,
  ) {}

  /** The steps from the disk to the image. Throws REQUEST_INVALID where there is no way, or the source is none that is read. */
  check(order: SnapshotOrder): ImportStep[] {
    const { images, snapshots } = this.settings.config;
    const { uri, format, incremental } = order.source;
    checkSource(uri, snapshots);
    if (!images.diskFormats.includes(format))
      throw invalid(`source.format is ${format}, which is none of the disk formats here`);
    if (incremental !== undefined && !(/^nbds?[:+]/i.test(uri) && format === 'raw'))
      throw invalid('What changed can be read of a raw disk over NBD only');
    if (order.backup_type !== undefined && order.image_type !== 'backup')
      throw invalid('backup_type is for image_type backup');
    return stepsOf(order);
  }

  /** Where the worker is to read. Of a parent that the caller may read, with what is known of it. */
  async resolve(tx: Transaction, ctx: Caller, { source }: SnapshotOrder): Promise<Source> {
    const { uri, format, connections, incremental } = source;
    const base = incremental === undefined ? null : await this.parentOf(tx, ctx, incremental);
    return { kind: 'snapshot', uri, format, connections, incremental: base };
  }

  private async parentOf(
    tx: Transaction,
    ctx: Caller,
    { parent_image_id: id, dirty_bitmap: dirtyBitmap }: Incremental,
  ): Promise<Source['incremental']> {
    const stored = await this.reader.findIn(tx, id);
    if (stored === undefined) throw imageNotFound(id);
    const { image, locations } = stored;
    await this.policy.enforceOnImage(tx, 'download_image', ctx, image);
    if (image.status !== 'active')
      throw conflict(`The parent image ${id} is ${image.status}, and must be active`);
    const { diskFormat } = image;
    if (image.containerFormat !== 'bare' || diskFormat === null || !BASES.has(diskFormat))
      throw conflict(
        `The parent image ${id} is of disk_format ${diskFormat}: it must be a bare raw or qcow2`,
      );
    if (locations.length === 0) throw conflict(`The data of the parent image ${id} is damaged or lost`);
    const { size, checksum, osHashAlgo, osHashValue } = image;
    const known = { size, checksum, osHashAlgo, osHashValue };
    return { dirtyBitmap, parent: { imageId: image.id, locations: [...locations], diskFormat, known } };
  }
}

/** As readers of URIs agree on: others find credentials, and servers, where some find none. */
const PLAIN_URI = /^(?:file:\/|nbds?\+unix:\/\/\/|[a-z][a-z0-9+.-]*:\/\/[^/])[^\\\p{Cc}]*$/iu;

function checkSource(uri: string, rules: Config['snapshots']): void {
  const problem = problemWithSnapshotScheme(uri, rules);
  if (problem !== undefined) throw invalid(problem);
  if (!PLAIN_URI.test(uri) || !URL.canParse(uri)) throw invalid('source.uri is no URI');
}

function stepsOf({ source: { format }, ...order }: SnapshotOrder): ImportStep[] {
  const { disk_format: diskFormat = format, container_format: containerFormat, compressed } = order;
  if (compressed && diskFormat !== 'qcow2') throw invalid('Only images of disk_format qcow2 are compressed');
  if (diskFormat === format && !compressed) return [];
  if (!CONVERTIBLE.has(format) || !OUTCOMES.has(diskFormat))
    throw invalid(`Disks of format ${format} are not converted to ${diskFormat}`);
  if (containerFormat !== 'bare') throw invalid('Disks are converted with container_format bare only');
  return [{ name: 'convert', diskFormat, ...(compressed ? { compressed } : {}) }];
}

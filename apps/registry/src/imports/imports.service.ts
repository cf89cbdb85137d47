import {
  type Caller,
  type Image,
  type ImportRequest,
  type ImportSource,
  ServiceError,
  isServiceError,
  problemWithUri,
  storeOf,
} from '@glimpse/contracts';
import { Database, type Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { HeldImages } from '../images/held-images.js';
import { ImageReader } from '../images/image-reader.js';
import type { StoredImage } from '../images/stored-image.js';
import { PolicyEngine, imageNotFound } from '../policy/policy.engine.js';
import { ProjectQuotas } from '../quotas/project-quotas.js';
import { RegistrySettings } from '../registry-settings.js';
import { ImportLocks } from '../tasks/import-locks.js';
import { type Admission, ImportLauncher } from './import-launcher.js';
import { importStepList } from './import-step-list.js';
import { importTargets } from './import-targets.js';
import { remoteSourceOf } from './remote-source.js';
import { type Staged, StagedData } from './staged-data.js';

const conflict = (message: string) => new ServiceError('IMAGE_STATUS_CONFLICT', message);

/** Begins imports (spec/api-images.md section 10.2); what becomes of them follows in `ImportJobs`. */
@Injectable()
export class ImportsService {
  constructor(
    private readonly database: Database,
    private readonly reader: ImageReader,
    private readonly held: HeldImages,
    private readonly staged: StagedData,
    private readonly locks: ImportLocks,
    private readonly launcher: ImportLauncher,
    private readonly policy: PolicyEngine,
    private readonly quotas: ProjectQuotas,
    private readonly settings: RegistrySettings,
  ) {}

  /** Resolves when the import is on its way, or has failed already where only a quota stands against it. */
  async begin(ctx: Caller, id: string, request: ImportRequest): Promise<void> {
    await this.database.unitOfWork.run(async (tx) => {
      // A project that is over its limit already needs no task to learn it.
      await this.quotas.admitStored(tx, ctx, id, 0);
      await this.beginIn(tx, ctx, id, request);
    });
  }

  /** As `begin`, as part of something else. `type` is that of the task; answers with its id, undefined where nothing is to do. */
  async beginIn(
    tx: Transaction,
    ctx: Caller,
    id: string,
    request: ImportRequest,
    type: 'api_image_import' | 'import' = 'api_image_import',
  ): Promise<string | undefined> {
    const admission = await this.admit(tx, ctx, id, request);
    const stored = await this.held.hold(tx, id);
    const { image } = stored;
    const staged = await this.staged.find(tx, image.id);
    await this.assertMayImport(tx, ctx, image, staged, request);
    await this.locks.assertFree(tx, image.id);
    const storeIds = importTargets(request, storesWith(stored), this.settings.config);
    if (storeIds.length === 0) return undefined;
    const source = this.sourceOf(request, stored, staged);
    return this.launcher.launch(tx, ctx, {
      image,
      type,
      input:
        type === 'import'
          ? request.body
          : { image_id: image.id, import_req: request.body, backend: storeIds },
      admission,
      source,
      storeIds,
      allMustSucceed: request.allStoresMustSucceed,
      steps: importStepList(request.method, this.settings.config.import),
      diskFormat: image.diskFormat ?? '',
      containerFormat: image.containerFormat ?? '',
    });
  }

  /** Before the image is held. What only comes to light in the background in Glance is kept for the task. */
  private async admit(
    tx: Transaction,
    ctx: Caller,
    id: string,
    { method, allStores, stores }: ImportRequest,
  ): Promise<Admission> {
    const found = await this.reader.findIn(tx, id);
    if (found === undefined) throw imageNotFound(id);
    const { owner, size } = found.image;
    const copies = allStores ? Object.keys(this.settings.config.stores).length : (stores?.length ?? 1);
    try {
      if (method.name === 'glance-direct')
        await this.quotas.admitStored(tx, ctx, id, (size ?? 0) * Math.max(1, stores?.length ?? 1));
      else if (method.name === 'copy-image' && copies > 0) {
        await this.quotas.admitStaging(tx, ctx, owner, null);
        await this.quotas.admitStored(tx, ctx, id, (size ?? 0) * Math.max(1, stores?.length ?? 1));
      } else if (method.name === 'web-download' || method.name === 'glance-download')
        await this.quotas.admitStaging(tx, ctx, owner, null);
    } catch (error) {
      if (isServiceError(error, 'QUOTA_EXCEEDED')) return { refusal: error.message };
      throw error;
    }
    return { left: (await this.quotas.remaining(tx, ctx, owner)) ?? Number.POSITIVE_INFINITY };
  }

  private async assertMayImport(
    tx: Transaction,
    ctx: Caller,
    image: Image,
    staged: Staged | undefined,
    { method: { name } }: ImportRequest,
  ): Promise<void> {
    const rule = name === 'copy-image' ? 'copy_image' : 'modify_image';
    await this.policy.enforceVisible(tx, rule, ctx, image);
    assertStatus(image, staged, name);
    if (image.containerFormat === null || image.diskFormat === null)
      throw conflict(
        `${image.containerFormat === null ? 'container_format' : 'disk_format'} needs to be set before import`,
      );
    // A copy changes nothing of the image but where it is: whom the rule allows may do so to any.
    if (name === 'copy-image') await this.policy.enforceOnImage(tx, rule, ctx, image);
    else await this.policy.enforceOnOwnImage(tx, rule, ctx, image);
  }

  private sourceOf(
    { method }: ImportRequest,
    { image, locations }: StoredImage,
    staged: Staged | undefined,
  ): ImportSource {
    if (method.name === 'web-download') {
      const problem = problemWithUri(method.uri, this.settings.config.import.webDownload);
      if (problem !== undefined)
        throw new ServiceError('REQUEST_INVALID', `URI for web-download does not pass filtering: ${problem}`);
      return { kind: 'web', uri: method.uri, digest: method.expectedDigest };
    }
    if (method.name === 'glance-download') return remoteSourceOf(method);
    if (method.name === 'glance-direct' && staged !== undefined) return { kind: 'staged', ...staged };
    const { size, checksum, osHashAlgo, osHashValue } = image;
    return { kind: 'copy', locations: [...locations], known: { size, checksum, osHashAlgo, osHashValue } };
  }
}

/** The stores that hold data of the image, be it damaged: there is no room for another copy. */
const storesWith = ({ image, damaged }: StoredImage): string[] => [
  ...image.stores,
  ...damaged.map(storeOf).filter((store) => store !== undefined),
];

function assertStatus(
  image: Image,
  staged: Staged | undefined,
  method: ImportRequest['method']['name'],
): void {
  const { id, status } = image;
  if (method === 'copy-image') {
    if (status !== 'active') throw conflict('Only images with status active can be targeted for copying');
    return;
  }
  if (status === 'active') throw conflict('Image with status active cannot be target for import');
  if ((method === 'web-download' || method === 'glance-download') && status !== 'queued')
    throw conflict(`Image needs to be in 'queued' state to use '${method}' method`);
  if (method === 'glance-direct' && status !== 'uploading')
    throw conflict("Image needs to be staged before 'glance-direct' method can be used");
  if (method === 'glance-direct' && staged === undefined)
    throw conflict(`The data of image ${id} is still being staged`);
}

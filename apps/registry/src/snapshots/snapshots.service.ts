import {
  type Caller,
  type Image,
  type ImportStep,
  MAX_TEXT_LENGTH,
  type RequestOf,
  ServiceError,
  type Snapshot,
  type SnapshotReplyAddress,
  type registrySnapshots,
  snapshotEvents,
  uriWithoutSecrets,
} from '@glimpse/contracts';
import { Database, type SnapshotRequestRow, type Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { ImagesService } from '../images/images.service.js';
import { ImportLauncher } from '../imports/import-launcher.js';
import { importTargets } from '../imports/import-targets.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { PolicyEngine } from '../policy/policy.engine.js';
import { ProjectQuotas } from '../quotas/project-quotas.js';
import { RegistrySettings } from '../registry-settings.js';
import { fingerprintOf } from './snapshot-fingerprint.js';
import { snapshotImage, snapshotPropertyNames } from './snapshot-image.js';
import { snapshotsEnded } from './snapshot-metrics.js';
import {
  type SnapshotKey,
  aboutSnapshot,
  addReplyAddress,
  findSnapshot,
  findSnapshotOf,
  insertSnapshot,
  replyAddressesOf,
  setSnapshotTask,
  toSnapshot,
} from './snapshot-requests.repository.js';
import { SnapshotSources } from './snapshot-source.js';

type Calls = typeof registrySnapshots;
type Asked = RequestOf<Calls['request']>;

interface Begin extends Asked {
  readonly key: SnapshotKey;
  readonly fingerprint: string;
  /** Who waits for the end. */
  readonly waiting: SnapshotReplyAddress | null;
}

/** The answer for a request that never came, or is another project's. */
export const snapshotNotFound = (what: string) =>
  new ServiceError('SNAPSHOT_NOT_FOUND', `No snapshot found of ${what}`);

/** Requests of compute for snapshots: each becomes an image and its import, once, however often it comes. */
@Injectable()
export class SnapshotsService {
  constructor(
    private readonly database: Database,
    private readonly images: ImagesService,
    private readonly sources: SnapshotSources,
    private readonly launcher: ImportLauncher,
    private readonly policy: PolicyEngine,
    private readonly quotas: ProjectQuotas,
    private readonly outbox: OutboxWriter,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** Resolves when the request is committed. One that came before is answered as it stands. */
  async request(asked: Asked): Promise<Snapshot> {
    const { ctx, request, replyTo } = asked;
    const begin: Begin = {
      ...asked,
      key: snapshotKey(ctx, request.request_id),
      fingerprint: fingerprintOf(request),
      waiting: request.reply === 'completed' ? replyTo : null,
    };
    const known = await findSnapshot(this.database, begin.key);
    if (known !== undefined) return this.repeat(begin, known);
    try {
      const row = await this.begin(begin);
      snapshotsEnded.inc({ outcome: 'accepted' });
      return toSnapshot(row);
    } catch (error) {
      // It may have come twice at once, and the other one was let in: it is what stood against this one.
      const other = await findSnapshot(this.database, begin.key);
      if (other !== undefined) return this.repeat(begin, other);
      snapshotsEnded.inc({ outcome: 'rejected' });
      throw error;
    }
  }

  /** How a snapshot of the caller's project stands; admins see those of all projects by their images. */
  async show(ctx: Caller, by: RequestOf<Calls['show']>['by']): Promise<Snapshot> {
    const row =
      by.kind === 'request'
        ? await findSnapshot(this.database, snapshotKey(ctx, by.requestId))
        : await findSnapshotOf(this.database, by.imageId);
    const isKnown = row !== undefined && (row.project_id === ctx.projectId || this.policy.isAdmin(ctx));
    if (!isKnown)
      throw snapshotNotFound(by.kind === 'request' ? `request ${by.requestId}` : `image ${by.imageId}`);
    this.assertMaySee(ctx, row);
    return toSnapshot(row);
  }

  /** How it stands, and who waits to be told. */
  async repliesDue(
    imageId: string,
  ): Promise<{ snapshot: Snapshot; addresses: SnapshotReplyAddress[] } | null> {
    const row = await findSnapshotOf(this.database, imageId);
    return row === undefined ? null : { snapshot: toSnapshot(row), addresses: replyAddressesOf(row) };
  }

  private async repeat(
    { ctx, key, fingerprint, waiting }: Begin,
    known: SnapshotRequestRow,
  ): Promise<Snapshot> {
    this.assertMaySee(ctx, known);
    if (known.fingerprint !== null && known.fingerprint !== fingerprint) {
      snapshotsEnded.inc({ outcome: 'conflict' });
      throw new ServiceError(
        'SNAPSHOT_REQUEST_CONFLICT',
        `The request ${key.requestId} came before, and asked for something else: another one needs an id of its own.`,
      );
    }
    snapshotsEnded.inc({ outcome: 'repeated' });
    if (waiting === null || known.status !== 'accepted') return toSnapshot(known);
    await this.database.unitOfWork.run((tx) => addReplyAddress(tx, key, waiting));
    return toSnapshot(await this.get(key));
  }

  private begin(begin: Begin): Promise<SnapshotRequestRow> {
    const { ctx, request, isTrusted } = begin;
    this.policy.enforce('add_snapshot', ctx, { owner: ctx.projectId, visibility: request.visibility });
    const steps = this.sources.check(request);
    const now = this.clock.now();
    return this.images.createWith(
      ctx,
      snapshotImage(ctx, request),
      (tx, image) => this.launch(tx, begin, { row: newRow(begin, image, now), image, steps }),
      {
        // Of those that come at once the others wait here for the one, and go no further.
        first: (tx, image) => insertSnapshot(tx, newRow(begin, image, now)),
        unprotected: isTrusted ? snapshotPropertyNames : undefined,
      },
    );
  }

  /** Sets the import of the image going that this transaction made; answers with how the request stands. */
  private async launch(
    tx: Transaction,
    { ctx, request, key }: Begin,
    { row, image, steps }: { row: SnapshotRequestRow; image: Image; steps: readonly ImportStep[] },
  ): Promise<SnapshotRequestRow> {
    for (const rule of ['modify_image', 'upload_image'] as const)
      await this.policy.enforceOnOwnImage(tx, rule, ctx, image);
    await this.quotas.admitStored(tx, ctx, image.id, 0);
    await this.quotas.admitStaging(tx, ctx, image.owner, null);
    const left = (await this.quotas.remaining(tx, ctx, image.owner)) ?? Number.POSITIVE_INFINITY;
    const source = await this.sources.resolve(tx, ctx, request);
    const storeIds = this.storesOf(request.stores);
    const { request_id, instance_id } = request;
    const method = { name: 'snapshot', uri: uriWithoutSecrets(source.uri), request_id, instance_id };
    const taskId = await this.launcher.launch(tx, ctx, {
      image,
      type: 'api_image_import',
      input: { image_id: image.id, import_req: { method }, backend: storeIds },
      admission: { left },
      source,
      storeIds,
      allMustSucceed: true,
      steps,
      diskFormat: source.format,
      containerFormat: image.containerFormat ?? '',
    });
    await setSnapshotTask(tx, key, taskId);
    const begun = { ...row, task_id: taskId };
    await this.announce(tx, begun, image);
    return begun;
  }

  private async announce(tx: Transaction, row: SnapshotRequestRow, image: Image): Promise<void> {
    const about = aboutSnapshot(row);
    if (about === undefined) return;
    await this.outbox.write(tx, snapshotEvents.accepted, image.id, {
      ...about,
      name: image.name ?? '',
      disk_format: image.diskFormat ?? '',
      container_format: image.containerFormat ?? '',
      image_type: image.properties['image_type'] ?? '',
    });
  }

  private storesOf(stores: string[]): string[] {
    const targets = { stores, headerStore: null, allStores: false, allStoresMustSucceed: true };
    return importTargets({ ...targets, method: { name: 'snapshot' } }, [], this.settings.config);
  }

  /** What of an image a request tells is told to those who may see the image. */
  private assertMaySee(ctx: Caller, { project_id: owner }: SnapshotRequestRow): void {
    this.policy.enforce('get_image', ctx, { owner, visibility: 'private' });
  }

  private async get(key: SnapshotKey): Promise<SnapshotRequestRow> {
    const row = await findSnapshot(this.database, key);
    if (row === undefined) throw snapshotNotFound(`request ${key.requestId}`);
    return row;
  }
}

/** Throws REQUEST_INVALID for a caller without a project: ids of requests are a project's. */
export function snapshotKey({ projectId }: Caller, requestId: string): SnapshotKey {
  if (projectId === null || projectId === '' || projectId.length > MAX_TEXT_LENGTH)
    throw new ServiceError('REQUEST_INVALID', 'A snapshot is made for a project, and the caller has none.');
  return { projectId, requestId };
}

/** What is written down of a request that came. */
const newRow = ({ request, key, fingerprint, waiting }: Begin, { id }: Image, now: number) => ({
  project_id: key.projectId,
  request_id: key.requestId,
  fingerprint,
  instance_id: request.instance_id,
  image_id: id,
  task_id: null,
  status: 'accepted',
  reply_to: waiting === null ? null : JSON.stringify([waiting]),
  error: null,
  data: null,
  created_at: now,
  updated_at: now,
});

import {
  type Caller,
  type Image,
  type NewImage,
  ServiceError,
  type Task,
  type TaskQuery,
  type TaskSummary,
  type TaskType,
  isStorableText,
  withoutCredentials,
} from '@glimpse/contracts';
import { Database, type SqlReader, type TaskRow, type Transaction, exactly } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { ImageReader } from '../images/image-reader.js';
import { ImagesService } from '../images/images.service.js';
import { ImportsService } from '../imports/imports.service.js';
import { PolicyEngine, imageNotFound } from '../policy/policy.engine.js';
import { importUriOf } from './import-input.js';
import { findTaskTransfers } from '../transfers/transfer.queries.js';
import { TaskRecords } from './task-records.js';
import { taskListStatement } from './task-list.query.js';
import { type ReadTaskRow, toTask, toTaskSummary } from './task-rows.js';

const MAX_ID_LENGTH = 36;

const taskNotFound = (id: string) => new ServiceError('TASK_NOT_FOUND', `No task found with ID ${id}`);

const WITH_INFO =
  'SELECT t.*, i.input, i.result, i.message FROM tasks t LEFT JOIN task_info i ON i.task_id = t.id';

/** What a client asks for. */
export interface TaskRequest {
  readonly type: TaskType;
  readonly input: Record<string, unknown>;
  /** With `import`: the image that is to be made. */
  readonly image?: NewImage | undefined;
}

/** The tasks API, which Glance deprecated: what was done in the background, and one kind of request for it. */
@Injectable()
export class TasksService {
  constructor(
    private readonly database: Database,
    private readonly records: TaskRecords,
    private readonly reader: ImageReader,
    private readonly images: ImagesService,
    private readonly imports: ImportsService,
    private readonly policy: PolicyEngine,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  async list(ctx: Caller, query: TaskQuery): Promise<{ tasks: TaskSummary[]; isFullPage: boolean }> {
    this.enforce(ctx);
    await this.removeExpired();
    const marker = query.marker === undefined ? undefined : await this.findMarker(ctx, query.marker);
    if (query.limit === 0) return { tasks: [], isFullPage: false };
    const { sql, values } = taskListStatement(
      query,
      { owner: this.ownerFilter(ctx), now: this.clock.databaseNow() },
      marker,
    );
    const rows = await this.database.query<TaskRow>(sql, values);
    return { tasks: rows.map(toTaskSummary), isFullPage: rows.length === query.limit };
  }

  async get(ctx: Caller, id: string): Promise<Task> {
    this.enforce(ctx);
    const row = await this.find(this.database, ctx, id);
    if (row === undefined) throw taskNotFound(id);
    const [task] = await this.withProgress([row]);
    return task ?? toTask(row);
  }

  /**
   * Begins an `import`, which makes an image. Of the tasks that an API call of their own begins, Glance accepts a request
   * here too, and then it fails: so it does here.
   */
  async create(ctx: Caller, { type, input, image }: TaskRequest): Promise<Task> {
    this.enforce(ctx);
    if (type === 'import') return this.import(ctx, input, image ?? {});
    return this.database.unitOfWork.run(async (tx) => {
      const id = await this.records.begin(tx, ctx, { type, input });
      await this.records.fail(
        tx,
        id,
        `A task of type ${type} is begun by the call for it on an image, not here.`,
      );
      await this.audit.changed(tx, ctx, { action: 'create', on: 'task', id });
      const row = await this.find(tx, ctx, id);
      if (row === undefined) throw taskNotFound(id);
      return toTask(row);
    });
  }

  /** The image is there at once, and is gone again if its data can't be had. */
  private import(ctx: Caller, input: Record<string, unknown>, newImage: NewImage): Promise<Task> {
    const uri = importUriOf(input);
    const body = { ...input, import_from: withoutCredentials(uri) };
    const begin = async (tx: Transaction, { id: imageId }: Image): Promise<Task> => {
      const taskId = await this.imports.beginIn(
        tx,
        ctx,
        imageId,
        {
          method: { name: 'web-download', uri },
          stores: null,
          headerStore: null,
          allStores: false,
          allStoresMustSucceed: true,
          body,
        },
        'import',
      );
      const row = taskId === undefined ? undefined : await this.find(tx, ctx, taskId);
      if (row === undefined) throw taskNotFound(taskId ?? '');
      return toTask(row);
    };
    // Glance makes the image, and notifies of it, when the work begins.
    return this.images.createWith(ctx, newImage, begin, { isNotified: false });
  }

  /** Newest first. */
  async listOfImage(ctx: Caller, id: string): Promise<Task[]> {
    const stored = await this.reader.find(id);
    if (stored === undefined) throw imageNotFound(id);
    await this.policy.enforceOnImage(this.database, 'get_image', ctx, stored.image);
    const owner = this.ownerFilter(ctx);
    const own = owner === undefined ? { sql: '1 = 1', values: [] } : exactly('t.owner', owner);
    const rows = await this.database.query<ReadTaskRow>(
      `${WITH_INFO} WHERE t.image_id = ? AND t.deleted = 0 AND (t.expires_at IS NULL OR t.expires_at > ?)
        AND ${own.sql} ORDER BY t.created_at DESC, t.id DESC`,
      [stored.image.id, this.clock.databaseNow(), ...own.values],
    );
    return this.withProgress(rows);
  }

  private async withProgress(rows: readonly ReadTaskRow[]): Promise<Task[]> {
    const live = rows.filter(({ status }) => status === 'pending' || status === 'processing');
    const imageIds = [...new Set(live.flatMap(({ image_id: imageId }) => imageId ?? []))];
    const transfers = await findTaskTransfers(this.database, imageIds);
    return rows.map((row) => toTask(row, live.includes(row) ? transfers.get(row.id) : undefined));
  }

  private enforce(ctx: Caller): void {
    this.policy.enforce('tasks_api_access', ctx);
  }

  /** Admins see the tasks of all projects. */
  private ownerFilter(ctx: Caller): string | undefined {
    return this.policy.isAdmin(ctx) ? undefined : (ctx.projectId ?? '');
  }

  private async find(sql: SqlReader, ctx: Caller, id: string): Promise<ReadTaskRow | undefined> {
    if (id.length > MAX_ID_LENGTH || !isStorableText(id)) return undefined;
    const [row] = await sql.query<ReadTaskRow>(`${WITH_INFO} WHERE t.id = ? AND t.deleted = 0`, [id]);
    if (row === undefined) return undefined;
    const isExpired = row.expires_at !== null && row.expires_at <= this.clock.databaseNow();
    const owner = this.ownerFilter(ctx);
    return isExpired || (owner !== undefined && row.owner !== owner) ? undefined : row;
  }

  private async findMarker(ctx: Caller, id: string) {
    const row = await this.find(this.database, ctx, id);
    if (row === undefined) throw new ServiceError('MARKER_NOT_FOUND', `There is no task ${id} to go on from`);
    return { ...row };
  }

  /** As in Glance whoever lists tasks clears those away that are kept no longer; the purge removes them. */
  private async removeExpired(): Promise<void> {
    const now = this.clock.databaseNow();
    const expired = await this.database.query(
      'SELECT id FROM tasks WHERE expires_at <= ? AND deleted = 0 LIMIT 1',
      [now],
    );
    if (expired.length === 0) return;
    await this.database.unitOfWork.run((tx) =>
      tx.execute('UPDATE tasks SET deleted = 1, deleted_at = ? WHERE expires_at <= ? AND deleted = 0', [
        now,
        now,
      ]),
    );
  }
}

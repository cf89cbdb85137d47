import {
  type Caller,
  type RequestOf,
  type ResponseOf,
  type Transfer,
  type registryTransfers,
} from '@glimpse/contracts';
import { Database, exactly } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { ImageReader } from '../images/image-reader.js';
import { PolicyEngine, imageNotFound } from '../policy/policy.engine.js';
import { findTransfers } from './transfer.queries.js';
import { UploadNotes } from './upload-notes.js';

type Calls = typeof registryTransfers;
type Listed = ResponseOf<Calls['list']>;
type Wanted = Omit<RequestOf<Calls['list']>, 'ctx'>;

/** How uploads and jobs go, for those whose business it is. */
@Injectable()
export class TransfersService {
  constructor(
    private readonly database: Database,
    private readonly reader: ImageReader,
    private readonly notes: UploadNotes,
    private readonly policy: PolicyEngine,
  ) {}

  async report({ instanceId, uploads }: RequestOf<Calls['report']>): Promise<void> {
    await this.database.unitOfWork.run(async (tx) => {
      for (const upload of uploads) await this.notes.progress(tx, { instanceId, ...upload });
    });
  }

  list(ctx: Caller, { imageId, endedSince }: Wanted): Promise<Listed> {
    return imageId === undefined ? this.listAll(ctx, endedSince) : this.listOfImage(ctx, imageId, endedSince);
  }

  /** Whoever may see the image sees that it is being worked on; why that failed is its owner's business. */
  private async listOfImage(ctx: Caller, imageId: string, endedSince: number): Promise<Listed> {
    const stored = await this.reader.find(imageId);
    if (stored === undefined) throw imageNotFound(imageId);
    const { id, status, owner } = stored.image;
    await this.policy.enforceOnImage(this.database, 'get_image', ctx, stored.image);
    const of = {
      uploads: { sql: 'u.image_id = ?', values: [id] },
      jobs: { sql: 'j.image_id = ?', values: [id] },
    };
    const transfers = await findTransfers(this.database, of, endedSince);
    const isAdmin = this.policy.isAdmin(ctx);
    const tellsErrors = isAdmin || (owner !== null && owner === ctx.projectId);
    return {
      transfers: tellsErrors ? transfers : transfers.map((transfer) => ({ ...transfer, lastError: null })),
      image: { id, status },
      audience: this.audienceOf(ctx, isAdmin),
      tellsErrors,
    };
  }

  /** Admins see all, others what is done with the images of their project. */
  private async listAll(ctx: Caller, endedSince: number): Promise<Listed> {
    this.policy.enforce('get_images', ctx, { owner: ctx.projectId, visibility: 'private' });
    const isAdmin = this.policy.isAdmin(ctx);
    const of = isAdmin ? { sql: '1 = 1', values: [] } : ownedBy(ctx.projectId);
    const transfers = await findTransfers(this.database, { uploads: of, jobs: of }, endedSince);
    return {
      transfers: isAdmin ? transfers : await this.visible(ctx, transfers),
      image: null,
      audience: this.audienceOf(ctx, isAdmin),
      tellsErrors: true,
    };
  }

  private audienceOf({ projectId }: Caller, isAdmin: boolean): Listed['audience'] {
    return isAdmin ? { kind: 'everybody' } : { kind: 'project', projectId };
  }

  private async visible(ctx: Caller, transfers: readonly Transfer[]): Promise<Transfer[]> {
    const ids = [...new Set(transfers.flatMap(({ imageId }) => imageId ?? []))];
    const found = await Promise.all(ids.map((id) => this.reader.find(id)));
    const images = found.flatMap((stored) => stored?.image ?? []);
    const allowed = await this.policy.filterImages(this.database, 'get_image', ctx, images);
    const seen = new Set(allowed.map(({ id }) => id));
    return transfers.filter(({ imageId }) => imageId !== null && seen.has(imageId));
  }
}

const ownedBy = (projectId: string | null) =>
  projectId === null ? { sql: '1 = 0', values: [] } : exactly('i.owner', projectId);

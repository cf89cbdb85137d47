import {
  type ImageStatus,
  type ResponseOf,
  type Transfer,
  isOver,
  isServiceError,
  type registryTransfers,
} from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import type { EventStream } from './event-stream.js';
import { END_EVENT_ID } from './last-event-id.js';
import { ShownTransfers } from './shown-transfers.js';
import { toTransferView } from './transfer-view.js';

export type Listed = ResponseOf<typeof registryTransfers.list>;

/** How often the whole state is read: it mends what lost events leave out, and asks for the rights anew. */
const READ_EVERY_MS = 10_000;
/** Between two readings at least. */
const READ_PAUSE_MS = 1_000;
/** Rights that could not be asked for are taken for granted no longer than this. */
const UNCHECKED_FOR_MS = 120_000;

/** In these an image waits for data. */
const EXPECTANT: ReadonlySet<ImageStatus> = new Set(['queued', 'saving', 'uploading', 'importing']);

export type EndReason = 'finished' | 'not_found' | 'forbidden' | 'unauthorized' | 'unavailable';

/** Why nobody may go on looking; undefined where it may be known later. */
function refusalOf(error: unknown): EndReason | undefined {
  if (isServiceError(error, 'IMAGE_NOT_FOUND')) return 'not_found';
  return isServiceError(error, 'ACTION_FORBIDDEN') ? 'forbidden' : undefined;
}

export interface ProgressSource {
  /** The state, as the caller may see it now; null where it is not known any more who they are. */
  list(): Promise<Listed | null>;
  readonly logger: Logger;
}

/** Shows one client how transfers go, from the state at the beginning on: events in between, and the state regularly. */
export class ProgressStream {
  private readonly shown: ShownTransfers;
  private scope: Listed;
  private timer: NodeJS.Timeout | undefined;
  private readAt = 0;
  private checkedAt = performance.now();
  private isReading = false;
  private isClosed = false;

  constructor(
    private readonly out: EventStream,
    private readonly source: ProgressSource,
    first: Listed,
    /** Shows also that as news which ended before. */
    isResumed: boolean,
  ) {
    this.shown = new ShownTransfers(isResumed);
    this.scope = first;
    this.apply(first);
    // Listening began a moment ago: what was told until it took effect is found by reading again.
    this.readIn(READ_PAUSE_MS);
  }

  /** Somebody announced how a transfer goes. */
  take(transfer: Transfer): void {
    if (this.isClosed || !this.concerns(transfer)) return;
    // What is new may be seen by whom the registry says; that it ended changes the image.
    if (!this.shown.has(transfer.id) || isOver(transfer)) this.readSoon();
    if (this.shown.has(transfer.id) && this.shown.take(transfer)) this.show(transfer);
  }

  /** The client is gone, or is told no more. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private concerns({ imageId, owner }: Transfer): boolean {
    const { image, audience } = this.scope;
    if (image !== null) return imageId === image.id;
    return audience.kind === 'everybody' || (owner !== null && owner === audience.projectId);
  }

  private readSoon(): void {
    this.readIn(Math.max(0, this.readAt + READ_PAUSE_MS - performance.now()));
  }

  private readIn(ms: number): void {
    clearTimeout(this.timer);
    if (!this.isClosed) this.timer = setTimeout(() => void this.read(), ms).unref();
  }

  private async read(): Promise<void> {
    if (this.isReading) return;
    this.isReading = true;
    this.readAt = performance.now();
    // What is heard of meanwhile asks for another reading, sooner.
    this.readIn(READ_EVERY_MS);
    try {
      const listed = await this.source.list();
      if (this.isClosed) return;
      if (listed === null) this.end('unauthorized');
      else this.apply(listed);
    } catch (error) {
      this.fail(error);
    } finally {
      this.isReading = false;
    }
  }

  private apply(listed: Listed): void {
    this.scope = listed;
    this.checkedAt = performance.now();
    for (const transfer of this.shown.takeAll(listed.transfers)) this.show(transfer);
    if (listed.image !== null && this.isFinished(listed.image.status)) this.end('finished');
  }

  private fail(error: unknown): void {
    if (this.isClosed) return;
    const refusal = refusalOf(error);
    if (refusal !== undefined) this.end(refusal);
    else if (performance.now() - this.checkedAt > UNCHECKED_FOR_MS) this.end('unavailable');
    else this.source.logger.debug({ err: error }, 'the progress of transfers could not be read');
  }

  /** One image has its data, or what was begun for it came to nothing. */
  private isFinished(status: ImageStatus): boolean {
    if (this.shown.isBusy) return false;
    return !EXPECTANT.has(status) || (status === 'queued' && this.shown.anyEnded);
  }

  private show(transfer: Transfer): void {
    const told = this.scope.tellsErrors ? transfer : { ...transfer, lastError: null };
    this.out.send(transfer.id, {
      event: 'progress',
      id: String(Date.now()),
      data: JSON.stringify(toTransferView(told)),
    });
  }

  private end(reason: EndReason): void {
    this.close();
    const { image } = this.scope;
    const data = { reason, ...(image === null ? {} : { image_id: image.id, status: image.status }) };
    this.out.end({ event: 'end', id: END_EVENT_ID, data: JSON.stringify(data) });
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import { AgentError, textOf } from './agent-error.js';
import { cleanUp, exportsOf, findTags } from './clean-up.js';
import { CommandError, type Commands } from './commands.js';
import { bitmapsOf, getDisk } from './disk.js';
import { openGuestAgent, openMonitor } from './machine.js';
import type { SnapshotReply, SnapshotRequest } from './messages.js';
import { nbdUri } from './nbd-address.js';
import type { SnapshotOptions } from './options.js';
import {
  type PointInTime,
  exportByNbd,
  fixPointInTime,
  isKept,
  planBitmaps,
  prepareScratch,
} from './point-in-time.js';
import { thawLeftFrozen, whileFrozen } from './quiesce.js';
import { SnapshotBus } from './snapshot-bus.js';
import { frozenBitmapName, newTag, prefixOf } from './tag.js';

const WATCH_MS = 1_000;
const CANCEL_TIMEOUT_MS = 20_000;

/** What came of it. */
export interface Report {
  readonly request_id: string;
  readonly status: SnapshotReply['status'];
  readonly image_id: string | null;
  readonly task_id: string | null;
  readonly error: SnapshotReply['error'];
  readonly size: number | null;
  readonly checksum: string | null;
  readonly os_hash_algo: string | null;
  readonly os_hash_value: string | null;
  /** How long the guest stood still; null where it was not frozen, or a run before did it. */
  readonly frozen_ms: number | null;
  readonly seconds: number;
  /** What is to be looked at although there is an image. */
  readonly warnings: readonly string[];
}

/** One snapshot: from a machine that runs to an image, with nothing left in the machine whatever comes of it. */
export class Snapshot {
  private readonly warnings: string[] = [];
  private frozenMs: number | undefined;
  private begunBitmap: string | undefined;
  private hasServer = false;

  private constructor(
    private readonly options: SnapshotOptions,
    private readonly monitor: Commands,
    private readonly signal: AbortSignal,
    private readonly log: (text: string) => void,
  ) {}

  /** Rejects with an {@link AgentError} when there is no image; `signal` ends it. */
  static async take(
    options: SnapshotOptions,
    signal: AbortSignal,
    log: (text: string) => void,
  ): Promise<Report> {
    const monitor = await openMonitor(options.machine);
    try {
      return await new Snapshot(options, monitor, signal, log).run();
    } finally {
      monitor.close();
    }
  }

  private async run(): Promise<Report> {
    const start = performance.now();
    const { point, isResumed } = await this.choosePoint();
    let reply: SnapshotReply | undefined;
    try {
      if (isResumed) await this.resume(point);
      else await this.make(point);
      reply = await this.request(point);
      if (reply.status === 'completed' && !(await isKept(this.monitor, point.tag)))
        throw new AgentError('machine', `Image ${reply.image_id} is of more than one moment: delete it`);
    } catch (error) {
      reply = undefined;
      throw error;
    } finally {
      const isDone = reply?.status === 'completed';
      const leavings = { tag: point.tag, disk: point.disk, isDone, begunBitmap: this.begunBitmap };
      const failures = await cleanUp(this.monitor, leavings, this.hasServer);
      for (const failure of failures) {
        this.log(`Left behind in the machine: ${failure}`);
        this.warnings.push(failure);
      }
      if (!isDone) await this.continueMachine();
    }
    return this.report(reply, start);
  }

  /** What an earlier run of the same request has kept, or a new one. */
  private async choosePoint(): Promise<{ point: PointInTime; isResumed: boolean }> {
    const { requestId, bitmap, parent } = this.options;
    const disk = await getDisk(this.monitor, this.options.disk);
    const use = bitmap === undefined ? undefined : { name: bitmap, isExported: parent !== undefined };
    const tags = [...(await findTags(this.monitor, disk))];
    const foreign = tags.filter((tag) => !tag.startsWith(prefixOf(requestId)));
    if (foreign.length > 0)
      throw new AgentError(
        'machine',
        `The machine still keeps ${foreign.join(', ')} of another snapshot: repeat that one with its --request-id, or run the command clean`,
      );
    for (const tag of tags) {
      if (await isKept(this.monitor, tag)) return { point: { tag, disk, bitmap: use }, isResumed: true };
      await cleanUp(this.monitor, { tag, disk, isDone: false }, true);
    }
    return { point: { tag: newTag(requestId), disk, bitmap: use }, isResumed: false };
  }

  private async resume(point: PointInTime): Promise<void> {
    this.log(`Going on with the point in time ${point.tag} that an earlier run has kept`);
    this.hasServer = true;
    await this.thawLeftFrozen();
    if ((await exportsOf(this.monitor)).some(({ id }) => id === point.tag)) return;
    await exportByNbd(this.monitor, point, this.options.listen, this.options.access);
  }

  /** The run before may have been killed when the moment was fixed and the guest not thawed yet. */
  private async thawLeftFrozen(): Promise<void> {
    const agent = await this.findAgent();
    try {
      if (agent !== undefined && (await thawLeftFrozen(agent)))
        this.log('The earlier run had left the guest frozen: thawed');
    } catch (error) {
      // One that can't say how it stands can't be frozen either.
      if (!(error instanceof CommandError)) throw error;
    } finally {
      agent?.close();
    }
  }

  private async make(point: PointInTime): Promise<void> {
    const { bitmap, scratch, listen, access } = this.options;
    const bitmaps = await planBitmaps(this.monitor, point);
    const isKnown = (await bitmapsOf(this.monitor, point.disk)).some(({ name }) => name === bitmap);
    await prepareScratch(this.monitor, point, scratch);
    this.signal.throwIfAborted();
    if (!isKnown) this.begunBitmap = bitmap;
    await this.fix(point, bitmaps);
    this.signal.throwIfAborted();
    await exportByNbd(this.monitor, point, listen, access);
    this.hasServer = true;
  }

  /** The moment itself, with the guest's file systems at rest where that is possible. */
  private async fix(point: PointInTime, bitmaps: readonly object[]): Promise<void> {
    const { freezeTimeoutMs: timeoutMs } = this.options;
    const agent = await this.findAgent();
    try {
      const freeze = { timeoutMs, isRequired: this.options.quiesce === 'required' };
      const work = () => fixPointInTime(this.monitor, point, bitmaps, timeoutMs);
      ({ frozenMs: this.frozenMs } = await whileFrozen(agent, freeze, work));
    } finally {
      agent?.close();
    }
    if (this.frozenMs === undefined) this.log('The guest was not frozen: the image is as after a power cut');
    else this.log(`The guest was frozen for ${this.frozenMs} ms`);
  }

  private async findAgent(): Promise<Commands | undefined> {
    const { quiesce, machine } = this.options;
    if (quiesce === 'off') return undefined;
    try {
      return await openGuestAgent(machine);
    } catch (error) {
      if (quiesce === 'required')
        throw new AgentError('machine', `There is no agent in the guest: ${textOf(error)}`, { cause: error });
      this.log(`No agent in the guest: ${textOf(error)}`);
      return undefined;
    }
  }

  /** Asks Glimpse, and waits for the end while the machine is watched; tells Glimpse when it is not to be. */
  private async request(point: PointInTime): Promise<SnapshotReply> {
    const request = await this.messageOf(point);
    const bus = new SnapshotBus(this.options.bus, this.log);
    const own = new AbortController();
    const signal = AbortSignal.any([this.signal, own.signal, AbortSignal.timeout(this.options.timeoutMs)]);
    const watched = this.watch(point.tag, signal).catch((error: unknown) => own.abort(error));
    this.log(`Asking for ${request.name} (${request.request_id}) of ${request.source.uri}`);
    try {
      return await bus.request(request, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      const late = await this.cancel(bus, request);
      if (late?.status === 'completed') return late;
      throw this.reasonOf(signal);
    } finally {
      own.abort();
      await watched;
    }
  }

  private async cancel(bus: SnapshotBus, request: SnapshotRequest): Promise<SnapshotReply | undefined> {
    try {
      const reply = await bus.cancel(request, AbortSignal.timeout(CANCEL_TIMEOUT_MS));
      this.log(`Cancelled: ${reply.status}`);
      return reply;
    } catch (error) {
      this.log(`Cancelling failed, Glimpse will give up as it can't read the disk: ${textOf(error)}`);
      return undefined;
    }
  }

  private reasonOf({ reason }: AbortSignal): AgentError {
    if (reason instanceof AgentError) return reason;
    return this.signal.aborted
      ? new AgentError('interrupted', 'Ended by a signal')
      : new AgentError('timeout', `There was no image within ${this.options.timeoutMs / 1_000} s`);
  }

  /** Ends, or throws as soon as the moment is lost or the guest stands still for it. */
  private async watch(tag: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!(await isKept(this.monitor, tag)))
        throw new AgentError('machine', 'QEMU does not keep the point in time any more');
      if (await this.isStopped())
        throw new AgentError(
          'machine',
          'The machine stands still: there is no room left in the scratch folder',
        );
      await delay(WATCH_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async isStopped(): Promise<boolean> {
    return (await this.monitor.execute<{ status: string }>('query-status')).status === 'io-error';
  }

  /** QEMU stops a guest that can't write, which it can again when the scratch file is out of its way. */
  private async continueMachine(): Promise<void> {
    try {
      if (await this.isStopped()) await this.monitor.execute('cont');
    } catch (error) {
      this.log(`The machine may stand still: ${textOf(error)}`);
    }
  }

  private async messageOf({ tag }: PointInTime): Promise<SnapshotRequest> {
    const { requestId, instanceId, identity, attributes, compressed, bitmap, parent, listen, access } =
      this.options;
    const instance = instanceId ?? (await this.monitor.execute<{ UUID: string }>('query-uuid')).UUID;
    if (/^[0-]*$/.test(instance))
      throw new AgentError('usage', 'The machine has no UUID: name it by --instance');
    const incremental =
      parent === undefined || bitmap === undefined
        ? {}
        : { incremental: { parent_image_id: parent, dirty_bitmap: frozenBitmapName(bitmap, tag) } };
    return {
      schema_version: '1.0',
      type: 'snapshot.create',
      request_id: requestId,
      ...identity,
      instance_id: instance,
      ...attributes,
      source: { uri: nbdUri(listen, tag, access), format: 'raw', ...incremental },
      compressed,
      reply: 'completed',
    };
  }

  private report(reply: SnapshotReply, start: number): Report {
    return {
      request_id: this.options.requestId,
      status: reply.status,
      image_id: reply.image_id,
      task_id: reply.task_id,
      error: reply.error,
      size: reply.size ?? null,
      checksum: reply.checksum ?? null,
      os_hash_algo: reply.os_hash_algo ?? null,
      os_hash_value: reply.os_hash_value ?? null,
      frozen_ms: this.frozenMs ?? null,
      seconds: Math.round((performance.now() - start) / 100) / 10,
      warnings: this.warnings,
    };
  }
}

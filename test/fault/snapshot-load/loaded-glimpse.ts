import { rm } from 'node:fs/promises';
import { Database } from '@glimpse/persistence';
import {
  ComputeHost,
  type Glimpse,
  ImageApi,
  requestsAreTaken,
  startGlimpse,
  waitFor,
} from '@glimpse/testing';
import { findInMotion } from '../chaos/at-rest.js';
import { findBrokenPromises } from './promise-check.js';
import { SnapshotEvents } from './snapshot-events.js';
import { type PlannedSnapshot, messageOf } from './snapshot-plan.js';

export interface LoadedGlimpseOptions {
  /** The directory that it keeps images in, and that of the disks. */
  readonly store: string;
  readonly roots: string;
  readonly workers: number;
  /** Those of one worker. */
  readonly jobsAtOnce: number;
  /** Compute hosts, with a connection each. */
  readonly hosts: number;
  /** How long it may take until nothing is in motion. */
  readonly restMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A Glimpse of several processes, those who ask it for snapshots, and those who watch it. */
export class LoadedGlimpse {
  readonly asked: PlannedSnapshot[] = [];
  private readonly copies = new Map<string, number>();

  private constructor(
    readonly glimpse: Glimpse,
    readonly events: SnapshotEvents,
    readonly hosts: readonly ComputeHost[],
    private readonly database: Database,
    private readonly options: LoadedGlimpseOptions,
  ) {}

  /** Whoever starts it stops it. */
  static async start(options: LoadedGlimpseOptions): Promise<LoadedGlimpse> {
    const { store, roots, workers, jobsAtOnce, hosts, env } = options;
    const glimpse = await startGlimpse({
      mode: 'distributed',
      env: {
        GLIMPSE_STORES: JSON.stringify({ one: { type: 'file', datadir: store } }),
        GLIMPSE_DEFAULT_STORE: 'one',
        GLIMPSE_SNAPSHOTS_FILE_ROOTS: roots,
        GLIMPSE_STORE_WORKER_CONCURRENCY: String(jobsAtOnce),
        ...env,
      },
    });
    try {
      for (let n = 1; n < workers; n++) await glimpse.start('store-worker');
      const url = glimpse.env['GLIMPSE_DATABASE_URL'] ?? '';
      const busUrl = glimpse.env['GLIMPSE_BUS_URL'] ?? '';
      await requestsAreTaken(busUrl);
      return new LoadedGlimpse(
        glimpse,
        await SnapshotEvents.open(busUrl),
        await Promise.all(Array.from({ length: hosts }, () => ComputeHost.open(busUrl))),
        await Database.open({ url, poolSize: 2, connectTimeoutMs: 10_000 }),
        options,
      );
    } catch (error) {
      await glimpse.stop();
      throw error;
    }
  }

  get replyCount(): number {
    return this.hosts.reduce((sum, { replies }) => sum + replies.length, 0);
  }

  /** When the last reply came, as `performance.now()`. */
  get lastReplyAt(): number {
    return Math.max(...this.hosts.map((host) => host.lastReplyAt));
  }

  /** One host asks for all of them at once; resolves when the broker has the requests. */
  async ask(snapshots: readonly PlannedSnapshot[]): Promise<void> {
    this.asked.push(...snapshots);
    await this.hosts[0]?.sendAll(snapshots.map(messageOf));
  }

  /** All hosts ask for the same, again and again and all at once; resolves with how many messages that were. */
  async askAgain(one: PlannedSnapshot, times: number): Promise<number> {
    const share = Array.from({ length: Math.ceil(times / this.hosts.length) }, () => messageOf(one));
    const total = share.length * this.hosts.length;
    this.asked.push(one);
    this.copies.set(one.requestId, total);
    await Promise.all(this.hosts.map((host) => host.sendAll(share)));
    return total;
  }

  async atRest(): Promise<void> {
    const isAtRest = async () => (await findInMotion(this.database)).length === 0;
    await waitFor('everything to be at rest', isAtRest, this.options.restMs);
  }

  brokenPromises(): Promise<string[]> {
    return findBrokenPromises({
      api: new ImageApi(() => this.glimpse.url),
      database: this.database,
      busUrl: this.glimpse.env['GLIMPSE_BUS_URL'] ?? '',
      storeDirs: [this.options.store],
      planned: this.asked,
      events: this.events,
      replies: this.hosts.flatMap(({ replies }) => replies.map(({ body }) => body)),
      copies: this.copies,
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.close()));
    await this.events.close();
    await this.database.close();
    await this.glimpse.stop();
    await rm(this.options.store, { recursive: true, force: true });
  }
}

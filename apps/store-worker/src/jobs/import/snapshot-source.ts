import { Readable } from 'node:stream';
import type { Config } from '@glimpse/config';
import { type ImportSource, ServiceError, problemWithSnapshotScheme } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import { AllowedAddresses } from './allowed-addresses.js';
import { failed } from './failed.js';
import { NbdDisk } from './nbd-disk.js';
import { NbdPlace } from './nbd-place.js';
import type { OpenedSource, ReadAttempt } from './opened-source.js';
import { SnapshotFiles } from './snapshot-file.js';
import { mergedDisk, wholeDisk } from './snapshot-merge.js';
import type { ParentDisk, SnapshotParents } from './snapshot-parent.js';
import { WebRequests } from './web-request.js';
import { WebSource } from './web-source.js';

type Source = Extract<ImportSource, { kind: 'snapshot' }>;
type Incremental = NonNullable<Source['incremental']>;
type Open = (attempt: ReadAttempt) => Promise<OpenedSource>;

const refused = (problem: string) => new ServiceError('REQUEST_INVALID', problem);

/** Reads the disks of servers, where compute offers them. */
export class SnapshotSource {
  private readonly addresses: AllowedAddresses;
  private readonly files: SnapshotFiles;
  private readonly web: WebSource;

  constructor(
    private readonly options: Config['snapshots'],
    private readonly parents: SnapshotParents,
    private readonly logger: Logger,
  ) {
    this.addresses = new AllowedAddresses(options.allowedAddresses);
    this.files = new SnapshotFiles(options);
    this.web = new WebSource(new WebRequests(options, this.addresses), options);
  }

  /**
   * The ways to have the disk, best first: one, or with a parent one for each place where the parent lies. Codes of them:
   * REQUEST_INVALID where nothing may be read from there, TRANSFER_ABORTED where it cannot be, or the parent is damaged, and those of the
   * parent's store.
   */
  candidatesOf(source: Source): Open[] {
    // The registry's settings may be others than those of this machine.
    const problem = problemWithSnapshotScheme(source.uri, this.options);
    if (problem !== undefined) return [() => Promise.reject(refused(problem))];
    return this.opening(source).map((candidate) => (attempt) => this.withinTime(attempt, candidate));
  }

  private opening(source: Source): Open[] {
    const { uri, incremental } = source;
    if (incremental?.parent.locations.length === 0)
      return [() => Promise.reject(refused('The parent image has no data'))];
    if (/^nbds?[:+]/i.test(uri))
      return incremental === null
        ? [(attempt) => this.openDisk(source, attempt)]
        : this.openingChanges(source, incremental);
    if (incremental !== null)
      return [() => Promise.reject(refused('Only a source of NBD tells what changed: see incremental'))];
    if (/^file:/i.test(uri)) return [() => this.files.open(uri)];
    return [({ signal }) => this.web.open(uri, signal)];
  }

  private async openDisk(source: Source, { signal }: ReadAttempt): Promise<OpenedSource> {
    const disk = await this.connect(source, null, signal);
    return this.opened(source, disk, wholeDisk(disk.pieces()), () => disk.close());
  }

  private openingChanges(source: Source, { parent, dirtyBitmap }: Incremental): Open[] {
    let missing: { readonly error: unknown } | undefined;
    return parent.locations.map((location) => async (attempt) => {
      // Another place of the parent does not bring the disk back, and it was waited for long enough.
      if (missing !== undefined) throw missing.error;
      // Before the parent, which may have to be expanded: a bitmap that is not there is soon found out.
      const disk = await this.connect(source, dirtyBitmap, attempt.signal).catch((error: unknown) => {
        missing = { error };
        throw error;
      });
      return this.openChanges(source, disk, () => this.parents.open(parent, location, attempt));
    });
  }

  private async openChanges(
    source: Source,
    disk: NbdDisk,
    openParent: () => Promise<ParentDisk>,
  ): Promise<OpenedSource> {
    try {
      const parent = await openParent();
      const close = async () => {
        await disk.close();
        await parent.close();
      };
      if (parent.size > disk.sizeBytes) {
        await close();
        throw failed('The disk is smaller than that of the parent image: it needs a full snapshot');
      }
      const chunks = mergedDisk(disk.pieces(parent.size), parent.chunks, parent.size);
      return this.opened(source, disk, chunks, close);
    } catch (error) {
      await disk.close();
      throw error;
    }
  }

  private connect(
    { uri, connections }: Source,
    bitmap: string | null,
    signal: AbortSignal,
  ): Promise<NbdDisk> {
    const { maxConnections, maxResumes } = this.options;
    const place = new NbdPlace(uri, this.options, this.addresses);
    const selection = { connections: Math.min(connections, maxConnections), bitmap };
    return NbdDisk.open(place, selection, { maxResumes, signal, logger: this.logger });
  }

  private opened(
    { incremental }: Source,
    disk: NbdDisk,
    chunks: AsyncGenerator<Buffer>,
    close: () => Promise<void>,
  ): OpenedSource {
    return {
      data: Readable.from(chunks, { highWaterMark: 1 }),
      size: disk.sizeBytes,
      close: async () => {
        const { sizeBytes: size, readings } = disk;
        this.logger.info({ size, ...readings, parent: incremental?.parent.imageId }, 'read a disk over NBD');
        await close();
      },
    };
  }

  /** Ends the reading when its time is over. */
  private async withinTime(attempt: ReadAttempt, open: Open): Promise<OpenedSource> {
    const timeout = new AbortController();
    const timer = setTimeout(
      () => timeout.abort(failed('Reading the disk took too long')),
      this.options.totalTimeoutMs,
    );
    const signal = AbortSignal.any([attempt.signal, timeout.signal]);
    try {
      const opened = await open({ ...attempt, signal });
      const { data } = opened;
      data.on('error', () => undefined);
      timeout.signal.addEventListener('abort', () => data.destroy(failed('Reading the disk took too long')));
      return {
        ...opened,
        close: async () => {
          clearTimeout(timer);
          await opened.close?.();
        },
      };
    } catch (error) {
      clearTimeout(timer);
      throw error;
    }
  }
}

import { type JobPayload, ServiceError } from '@glimpse/contracts';
import type { StoreRegistry } from '@glimpse/stores';
import type { GlanceSource } from './glance-source.js';
import { digestsOf } from './known-digests.js';
import type { OpenedSource, ReadAttempt } from './opened-source.js';
import type { SnapshotSource } from './snapshot-source.js';
import type { WebSource } from './web-source.js';

/** One place where the data can be had. */
export type Candidate = (attempt: ReadAttempt) => Promise<OpenedSource>;

type Source = JobPayload<'import'>['source'];

/** The places where the data of an import can be had, best first. */
export class ImportSources {
  constructor(
    private readonly stores: StoreRegistry,
    private readonly web: WebSource,
    private readonly glance: GlanceSource,
    private readonly snapshots: SnapshotSource,
  ) {}

  /** Throws REQUEST_INVALID where there is none. */
  candidatesOf(source: Source): Candidate[] {
    if (source.kind === 'glance') return [({ signal }) => this.glance.open(source, signal)];
    if (source.kind === 'web') return [({ signal }) => this.openWeb(source, signal)];
    if (source.kind === 'snapshot') return this.snapshots.candidatesOf(source);
    const locations = source.kind === 'staged' ? [source.location] : source.locations;
    const known =
      source.kind === 'staged'
        ? { size: source.size }
        : { size: source.known.size, digests: digestsOf(source.known) };
    if (locations.length === 0) throw new ServiceError('REQUEST_INVALID', 'The image has no data to copy');
    return locations.map((imageLocation) => async ({ signal }) => {
      const { driver, location } = this.stores.resolve(imageLocation);
      const data = await driver.read(location, { signal });
      return {
        data,
        size: known.size ?? undefined,
        ...('digests' in known ? { digests: known.digests } : {}),
      };
    });
  }

  private async openWeb(
    { uri, digest }: Extract<Source, { kind: 'web' }>,
    signal: AbortSignal,
  ): Promise<OpenedSource> {
    const opened = await this.web.open(uri, signal);
    return digest === undefined
      ? opened
      : { ...opened, digests: new Map([[digest.algorithm, digest.value]]) };
  }
}

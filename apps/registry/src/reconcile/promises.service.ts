import {
  type PromisedData,
  type RequestOf,
  type ResponseOf,
  STAGING_STORE,
  type registryReconcile,
  storeOf,
  withoutCredentials,
} from '@glimpse/contracts';
import {
  Database,
  type ImageLocationRow,
  type ImageRow,
  type SqlReader,
  type StagedDataRow,
  type Transaction,
  requestChecks,
} from '@glimpse/persistence';
import { createStoreFinder } from '@glimpse/stores';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { parseMetadata } from '../images/image-parts.js';
import { RegistrySettings } from '../registry-settings.js';
import { type HeldRun, HeldRuns } from './held-runs.js';
import { type Finding, StoreFindings, hashOfRow } from './store-findings.js';

type Calls = typeof registryReconcile;
type Page = ResponseOf<Calls['promises']>;

/** Rows that one call goes through. */
const PAGE = 200;

interface LocationPart extends Pick<ImageLocationRow, 'id' | 'image_id' | 'value' | 'meta_data'> {
  size: ImageRow['size'];
}

/** Locations whose data must be there: those of images that were deleted but can be restored too. */
const PROMISING = `(l.deleted = 0 OR l.status = 'pending_delete')
  AND i.status IN ('active', 'deactivated', 'pending_delete')`;

const COLUMNS = `SELECT l.id, l.image_id, l.value, l.meta_data, i.size FROM image_locations l
  JOIN images i ON i.id = l.image_id WHERE`;

/** What rows say that the stores hold. */
@Injectable()
export class PromisesService {
  private readonly findStore: (url: string) => string | undefined;

  constructor(
    private readonly database: Database,
    private readonly runs: HeldRuns,
    private readonly findings: StoreFindings,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {
    this.findStore = createStoreFinder(settings.config);
  }

  async list({ cursor, ...lease }: RequestOf<Calls['promises']>): Promise<Page> {
    const { storeId } = await this.database.unitOfWork.run((tx) => this.runs.hold(tx, lease));
    return storeId === STAGING_STORE
      ? this.listStaged(cursor ?? '')
      : this.listLocations(storeId, cursor ?? '0');
  }

  private async listLocations(storeId: string, cursor: string): Promise<Page> {
    const rows = await this.database.query<LocationPart>(
      `${COLUMNS} l.id > ? AND ${PROMISING} ORDER BY l.id LIMIT ${PAGE}`,
      [Number(cursor)],
    );
    const promises = rows.map(toPromise).filter(({ location }) => {
      const store = storeOf(location) ?? this.findStore(location.url);
      return store === storeId;
    });
    return { promises, next: nextOf(rows, ({ id }) => String(id)) };
  }

  private async listStaged(cursor: string): Promise<Page> {
    const rows = await this.database.query<StagedDataRow>(
      `SELECT image_id, url, metadata, size FROM staged_data WHERE image_id > ? ORDER BY image_id LIMIT ${PAGE}`,
      [cursor],
    );
    const promises = rows.map((row): PromisedData => ({
      source: 'staged',
      rowId: row.image_id,
      imageId: row.image_id,
      location: { url: row.url, metadata: parseMetadata(row.metadata) },
      size: row.size,
    }));
    return { promises, next: nextOf(rows, ({ image_id }) => image_id) };
  }

  /** Notes what is broken, where the row still says so: what a worker did not find may have been removed meanwhile. */
  async report({ broken, ...lease }: RequestOf<Calls['report']>): Promise<void> {
    for (const { promise, found } of broken)
      await this.database.unitOfWork.run(async (tx) => {
        const run = await this.runs.hold(tx, lease);
        if (await this.isPromised(tx, promise)) await this.note(tx, run, promise, found);
      });
  }

  private async note(
    tx: Transaction,
    { storeId, seenAt }: HeldRun,
    promise: PromisedData,
    found: number | null,
  ): Promise<void> {
    const { source, rowId, imageId, location, size } = promise;
    const finding: Finding = {
      store_id: storeId,
      subject_hash: hashOfRow(source, rowId),
      kind: found === null ? 'missing' : 'wrong_size',
      url: location.url,
      image_id: imageId,
      is_known: 1,
      size: found,
      expected_size: size,
      version: null,
      modified_at: null,
    };
    const { isNew } = await this.findings.note(tx, finding, seenAt);
    if (!isNew) return;
    if (source === 'location') await this.haveVerified(tx, Number(rowId), imageId);
    tx.afterCommit(() =>
      this.settings.logger.error(
        { imageId, store: storeId, url: withoutCredentials(location.url), expected: size, found },
        'the data of an image is not what the database says',
      ),
    );
  }

  /** A verification takes the copy out of service, and repairs it where another store has a good one. */
  private async haveVerified(tx: Transaction, id: number, imageId: string): Promise<void> {
    const held = await tx.execute('UPDATE images SET updated_at = updated_at WHERE id = ? AND deleted = 0', [
      imageId,
    ]);
    if (held === 1) await requestChecks(tx, [{ id, image_id: imageId }], this.clock.now());
  }

  private async isPromised(
    sql: SqlReader,
    { source, rowId, location, size }: PromisedData,
  ): Promise<boolean> {
    if (source === 'staged') {
      const rows = await sql.query(
        'SELECT image_id FROM staged_data WHERE image_id = ? AND url = ? AND size = ?',
        [rowId, location.url, size],
      );
      return rows.length > 0;
    }
    const [row] = await sql.query<LocationPart>(`${COLUMNS} l.id = ? AND ${PROMISING}`, [Number(rowId)]);
    return row?.value === location.url && row.size === size;
  }
}

const toPromise = (row: LocationPart): PromisedData => ({
  source: 'location',
  rowId: String(row.id),
  imageId: row.image_id,
  location: { url: row.value, metadata: parseMetadata(row.meta_data) },
  size: row.size,
});

function nextOf<Row>(rows: readonly Row[], keyOf: (row: Row) => string): string | null {
  const last = rows.at(-1);
  return last === undefined || rows.length < PAGE ? null : keyOf(last);
}

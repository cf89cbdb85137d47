import { CopyState, type ImageLocation, type RecordedData, storeOf } from '@glimpse/contracts';
import type { LocationCheckRow, SqlReader, Transaction } from '@glimpse/persistence';
import { placeholders, requestChecks } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { parseMetadata } from '../images/image-parts.js';
import { LocationStores } from '../locations/location-stores.js';

/** A copy of an image's data that the image refers to, with what is known of it. */
export interface Copy {
  readonly locationId: number;
  readonly imageId: string;
  readonly location: ImageLocation;
  readonly state: CopyState;
  readonly reason: string | null;
  readonly damagedAt: number | null;
  readonly intactAt: number | null;
  readonly checkedAt: number | null;
  readonly turnAt: number | null;
  readonly isRequested: boolean;
  readonly isQueued: boolean;
}

/** What a look at a copy came to. */
export interface Look {
  readonly state: CopyState;
  readonly reason: string | null;
  /** Since when it is out of service; null where it is read from. */
  readonly damagedAt: number | null;
  readonly intactAt: number | null;
  readonly checkedAt: number;
  readonly turnAt: number;
  /** A repair follows, until which nobody else looks at it. */
  readonly isBeingRepaired: boolean;
}

/** A copy whose turn it is; `recorded` is null where nobody reads from it now. */
export interface DueCopy {
  readonly locationId: number;
  readonly imageId: string;
  readonly location: ImageLocation;
  readonly isRequested: boolean;
  readonly recorded: RecordedData | null;
  /** It will never be read from again. */
  readonly isGone: boolean;
}

interface CopyRow extends Pick<LocationCheckRow, 'image_id'> {
  id: number;
  value: string;
  meta_data: string | null;
  state: string | null;
  reason: string | null;
  damaged_at: number | null;
  intact_at: number | null;
  checked_at: number | null;
  turn_at: number | null;
  requested_at: number | null;
  queued_at: number | null;
}

interface DueRow {
  location_id: number;
  image_id: string;
  requested_at: number | null;
  value: string | null;
  meta_data: string | null;
  location_status: string | null;
  location_deleted: number | null;
  status: string | null;
  size: number | null;
  checksum: string | null;
  os_hash_algo: string | null;
  os_hash_value: string | null;
}

/** Copies of other images that a worker may look for, and of how many rows they are chosen. */
const WITNESSES = 3;
const WITNESSES_OF = 100;

/** Characters of a reason that are kept. */
const MAX_REASON = 255;

/** What is known of the copies of images' data (the table location_checks). */
@Injectable()
export class CopyChecks {
  constructor(private readonly stores: LocationStores) {}

  /** The copies that the image refers to; of those that nobody has looked for yet, nothing is known. */
  async findOf(sql: SqlReader, imageId: string): Promise<Copy[]> {
    return this.select(sql, 'l.image_id = ?', imageId);
  }

  /** The copy at the location, while the image refers to it. */
  async find(sql: SqlReader, locationId: number): Promise<Copy | undefined> {
    return (await this.select(sql, 'l.id = ?', locationId))[0];
  }

  private async select(sql: SqlReader, condition: string, value: string | number): Promise<Copy[]> {
    const rows = await sql.query<CopyRow>(
      `SELECT l.id, l.image_id, l.value, l.meta_data, c.state, c.reason, c.damaged_at, c.intact_at, c.checked_at,
              c.turn_at, c.requested_at, c.queued_at
         FROM image_locations l LEFT JOIN location_checks c ON c.location_id = l.id
        WHERE ${condition} AND l.deleted = 0 AND l.status = 'active' ORDER BY l.id`,
      [value],
    );
    return rows.map((row) => ({
      locationId: row.id,
      imageId: row.image_id,
      location: this.locationOf(row.value, row.meta_data),
      state: CopyState.parse(row.state ?? 'unverified'),
      reason: row.reason,
      damagedAt: row.damaged_at,
      intactAt: row.intact_at,
      checkedAt: row.checked_at,
      turnAt: row.turn_at,
      isRequested: row.requested_at !== null,
      isQueued: row.queued_at !== null,
    }));
  }

  /** Those that somebody wants looked at first, then those whose last look was at `turnAt` or before; null for none of them. */
  async findDue(sql: SqlReader, turnAt: number | null, limit: number): Promise<DueCopy[]> {
    const requested = await this.selectDue(sql, 'requested_at IS NOT NULL', 'requested_at', [], limit);
    const left = limit - requested.length;
    if (left === 0 || turnAt === null) return requested;
    const inTurn = 'c.requested_at IS NULL AND c.turn_at <= ?';
    return [...requested, ...(await this.selectDue(sql, inTurn, 'turn_at', [turnAt], left))];
  }

  private async selectDue(
    sql: SqlReader,
    condition: string,
    order: 'requested_at' | 'turn_at',
    values: number[],
    limit: number,
  ): Promise<DueCopy[]> {
    const rows = await sql.query<DueRow>(
      `SELECT c.location_id, c.image_id, c.requested_at, l.value, l.meta_data, l.status AS location_status,
              l.deleted AS location_deleted, i.status, i.size, i.checksum, i.os_hash_algo, i.os_hash_value
         FROM location_checks c
         LEFT JOIN image_locations l ON l.id = c.location_id
         LEFT JOIN images i ON i.id = l.image_id AND i.deleted = 0
        WHERE c.queued_at IS NULL AND ${condition} ORDER BY c.${order} LIMIT ${limit}`,
      values,
    );
    return rows.map((row) => {
      const isRead = row.location_deleted === 0 && (row.status === 'active' || row.status === 'deactivated');
      return {
        locationId: row.location_id,
        imageId: row.image_id,
        location: this.locationOf(row.value ?? '', row.meta_data),
        isRequested: row.requested_at !== null,
        recorded: isRead
          ? {
              size: row.size,
              checksum: row.checksum,
              osHashAlgo: row.os_hash_algo,
              osHashValue: row.os_hash_value,
            }
          : null,
        isGone: row.location_status === null || row.location_status === 'deleted',
      };
    });
  }

  /**
   * Copies of other images that should be in the same store: the oldest and the nearest of the older ones, since what is
   * newer may have been written to the place where the disk of the store should be.
   */
  async findWitnesses(sql: SqlReader, { locationId, imageId, location }: DueCopy): Promise<ImageLocation[]> {
    const store = storeOf(location);
    const some = async (condition: string): Promise<ImageLocation[]> => {
      const rows = await sql.query<Pick<CopyRow, 'value' | 'meta_data'>>(
        `SELECT l.value, l.meta_data FROM image_locations l LEFT JOIN location_checks c ON c.location_id = l.id
          WHERE l.image_id <> ? AND l.deleted = 0 AND l.status = 'active' AND c.damaged_at IS NULL
            AND l.id ${condition} LIMIT ${WITNESSES_OF}`,
        [imageId, locationId],
      );
      return rows
        .map(({ value, meta_data: metadata }) => this.locationOf(value, metadata))
        .filter((other) => storeOf(other) === store)
        .slice(0, WITNESSES);
    };
    const oldest = await some('< ? ORDER BY l.id');
    if (oldest.length === 0) return some('> ? ORDER BY l.id');
    const isNew = ({ url }: ImageLocation) => !oldest.some((other) => other.url === url);
    return [...oldest, ...(await some('< ? ORDER BY l.id DESC')).filter(isNew)];
  }

  /** A copy is good by now: damaged ones need not wait for their turn to be repaired from it. */
  async haveDamagedLookedAt(tx: Transaction, imageId: string, now: number): Promise<void> {
    const damaged = (await this.findOf(tx, imageId)).filter(({ damagedAt }) => damagedAt !== null);
    await requestChecks(
      tx,
      damaged.map(({ locationId }) => ({ id: locationId, image_id: imageId })),
      now,
    );
  }

  /** Lets a job look at it; false where another one does. */
  async claim(tx: Transaction, locationId: number, now: number): Promise<boolean> {
    const matched = await tx.execute(
      'UPDATE location_checks SET queued_at = ?, requested_at = NULL WHERE location_id = ? AND queued_at IS NULL',
      [now, locationId],
    );
    return matched === 1;
  }

  /** No job looks at it any more, and nothing is known that was not before. */
  async release(tx: Transaction, locationId: number, requestedAt: number | null = null): Promise<void> {
    await tx.execute('UPDATE location_checks SET queued_at = NULL, requested_at = ? WHERE location_id = ?', [
      requestedAt,
      locationId,
    ]);
  }

  /** Its turn comes later. */
  async postpone(tx: Transaction, locationId: number, turnAt: number): Promise<void> {
    await tx.execute('UPDATE location_checks SET requested_at = NULL, turn_at = ? WHERE location_id = ?', [
      turnAt,
      locationId,
    ]);
  }

  async note(tx: Transaction, locationId: number, look: Look): Promise<void> {
    await tx.execute(
      `UPDATE location_checks SET state = ?, reason = ?, damaged_at = ?, intact_at = ?, checked_at = ?, turn_at = ?,
              queued_at = ? WHERE location_id = ?`,
      [
        look.state,
        look.reason?.slice(0, MAX_REASON) ?? null,
        look.damagedAt,
        look.intactAt,
        look.checkedAt,
        look.turnAt,
        look.isBeingRepaired ? look.checkedAt : null,
        locationId,
      ],
    );
  }

  async forget(tx: Transaction, locationIds: readonly number[]): Promise<void> {
    if (locationIds.length === 0) return;
    await tx.execute(
      `DELETE FROM location_checks WHERE location_id IN (${placeholders(locationIds)})`,
      locationIds,
    );
  }

  private locationOf(url: string, metadata: string | null): ImageLocation {
    return this.stores.named({ url, metadata: parseMetadata(metadata) });
  }
}

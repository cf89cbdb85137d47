import { type ImageMember, MemberStatus } from '@glimpse/contracts';
import {
  type ImageMemberRow,
  type SqlReader,
  type Transaction,
  fromDatabaseTime,
} from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';

type ReadRow = Pick<
  ImageMemberRow,
  'id' | 'image_id' | 'member' | 'status' | 'created_at' | 'updated_at' | 'deleted'
>;

const COLUMNS = 'id, image_id, member, status, created_at, updated_at, deleted';

const toMember = (row: ReadRow): ImageMember => ({
  imageId: row.image_id,
  memberId: row.member,
  status: MemberStatus.parse(row.status),
  createdAt: fromDatabaseTime(row.created_at),
  updatedAt: fromDatabaseTime(row.updated_at ?? row.created_at),
});

/** Reads and writes with whom images are shared. `now` is the time of the change, for Glance's columns. */
@Injectable()
export class MembersRepository {
  /** The members of an image, in the order in which they were added. */
  async findAll(sql: SqlReader, imageId: string): Promise<ImageMember[]> {
    const rows = await sql.query<ReadRow>(
      `SELECT ${COLUMNS} FROM image_members WHERE image_id = ? AND deleted = 0 ORDER BY id`,
      [imageId],
    );
    return rows.map(toMember);
  }

  async find(sql: SqlReader, imageId: string, memberId: string): Promise<ImageMember | undefined> {
    const members = await this.findAll(sql, imageId);
    return members.find((member) => member.memberId === memberId);
  }

  /**
   * Adds a member that is pending; one that was removed gets its row back, with the time at which that was made. False
   * where the database takes it for one that is there. The transaction holds the image.
   */
  async add(tx: Transaction, imageId: string, memberId: string, now: string): Promise<boolean> {
    // MySQL may take another name for the same; its key would then not let both be removed.
    const rows = await tx.query<ReadRow>(
      `SELECT ${COLUMNS} FROM image_members WHERE image_id = ? AND member = ? ORDER BY deleted, id DESC`,
      [imageId, memberId],
    );
    const [latest] = rows;
    if (latest?.deleted === 0) return false;
    if (latest === undefined)
      await tx.insert('image_members', [
        {
          image_id: imageId,
          member: memberId,
          can_share: 0,
          status: 'pending',
          created_at: now,
          updated_at: now,
          deleted: 0,
        },
      ]);
    else
      await tx.execute(
        `UPDATE image_members SET member = ?, status = 'pending', updated_at = ?, deleted = 0, deleted_at = NULL
          WHERE id = ?`,
        [memberId, now, latest.id],
      );
    return true;
  }

  async setStatus(tx: Transaction, { imageId, memberId }: ImageMember, status: MemberStatus, now: string) {
    await tx.execute(
      'UPDATE image_members SET status = ?, updated_at = ? WHERE image_id = ? AND member = ? AND deleted = 0',
      [status, now, imageId, memberId],
    );
  }

  async remove(tx: Transaction, { imageId, memberId }: ImageMember, now: string): Promise<void> {
    await tx.execute(
      'UPDATE image_members SET deleted = 1, deleted_at = ?, updated_at = ? WHERE image_id = ? AND member = ? AND deleted = 0',
      [now, now, imageId, memberId],
    );
  }
}

import type { JobKind } from '@glimpse/contracts';
import { type JobRow, type Transaction, placeholders } from '@glimpse/persistence';

/** Where to go on: projects have their turns in the order of their ids. */
const AFTER = 'project_id > ?';
const FROM = 'project_id >= ?';

/**
 * Whose job is started next: each project with jobs that are due has one started in its turn, however many others have.
 * Where it stopped is known to this process alone: with several each goes round on its own, which is as fair.
 */
export class JobTurns {
  private last = '';

  /** The job of the next project that is due the longest, which no other transaction takes; undefined where none is due. */
  async next(tx: Transaction, kinds: readonly JobKind[], now: number): Promise<JobRow | undefined> {
    const job = (await find(tx, kinds, now, AFTER, this.last)) ?? (await find(tx, kinds, now, FROM, ''));
    if (job !== undefined) this.last = job.project_id;
    return job;
  }
}

async function find(
  tx: Transaction,
  kinds: readonly JobKind[],
  now: number,
  where: string,
  project: string,
): Promise<JobRow | undefined> {
  // The index of turns has this order. The `+` keeps SQLite from taking that of times, and sorting all that is due.
  const [job] = await tx.queryUnclaimed<JobRow>(
    `SELECT id, kind, status, image_id, project_id, payload, attempt, due_at
       FROM jobs /*! FORCE INDEX (ix_jobs_turns) */
      WHERE status = 'queued' AND ${where} AND +due_at <= ? AND kind IN (${placeholders(kinds)})
      ORDER BY project_id, due_at LIMIT 1`,
    [project, now, ...kinds],
  );
  return job;
}

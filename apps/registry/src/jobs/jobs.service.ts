import { randomUUID } from 'node:crypto';
import {
  type ClaimedJob,
  JobKind,
  type Progress,
  type RequestOf,
  type ResponseOf,
  type WireError,
  jobEvents,
  type registryJobs,
} from '@glimpse/contracts';
import { counter, metricNames } from '@glimpse/observability';
import { Database, type JobRow, type Transaction, placeholders } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { RegistrySettings } from '../registry-settings.js';
import { TransferFeed } from '../transfers/transfer-feed.js';
import { taskIdOf } from '../transfers/transfer-rows.js';
import { JobEffects } from './job-effects.js';
import { JobQueue } from './job-queue.js';
import { JobTurns } from './job-turns.js';
import { forgetSecrets } from './forget-secrets.js';
import { afterFailure, attemptsOf } from './retry.js';

type Calls = typeof registryJobs;
type Outcome = ResponseOf<Calls['heartbeat']>;

const jobsEnded = counter({
  name: metricNames.jobs,
  help: 'Attempts at jobs by kind and what came of them.',
  labelNames: ['kind', 'outcome'],
});

const lost: Outcome = { outcome: 'lost' };
const ok: Outcome = { outcome: 'ok' };

/** Characters of an error that are kept. */
const MAX_MESSAGE = 2_000;

/** The rows that a worker may change: its lease's token is the fence. */
const HELD = "id = ? AND lease_token = ? AND status = 'running'";

/**
 * Hands jobs to workers. `due_at` is when a job may be claimed: a queued one when its pause is over, a running one
 * when its lease has run out.
 */
@Injectable()
export class JobsService {
  private readonly turns = new JobTurns();

  constructor(
    private readonly database: Database,
    private readonly queue: JobQueue,
    private readonly effects: JobEffects,
    private readonly outbox: OutboxWriter,
    private readonly feed: TransferFeed,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /**
   * Takes up to `limit` jobs that are due. Those whose worker died come first; then projects take turns, each with what is due
   * the longest. Each job goes to one of those who ask at once.
   */
  claim({ instanceId, kinds, limit }: RequestOf<Calls['claim']>): Promise<ClaimedJob[]> {
    if (kinds.length === 0) return Promise.resolve([]);
    return this.database.unitOfWork.run(async (tx) => {
      const claimed = await this.claimAbandoned(tx, { instanceId, kinds, limit });
      while (claimed.length < limit) {
        const next = await this.turns.next(tx, kinds, this.clock.now());
        const mine = next === undefined ? undefined : await this.claimOne(tx, next, instanceId);
        if (mine === undefined) break;
        claimed.push(mine);
      }
      return claimed;
    });
  }

  private async claimAbandoned(
    tx: Transaction,
    { instanceId, kinds, limit }: RequestOf<Calls['claim']>,
  ): Promise<ClaimedJob[]> {
    const abandoned = await tx.queryUnclaimed<JobRow>(
      `SELECT id, kind, status, image_id, payload, attempt, due_at FROM jobs
        WHERE status = 'running' AND due_at <= ? AND kind IN (${placeholders(kinds)})
        ORDER BY due_at LIMIT ${limit}`,
      [this.clock.now(), ...kinds],
    );
    const claimed: ClaimedJob[] = [];
    for (const job of abandoned) {
      const mine = this.isWornOut(job)
        ? await this.endWornOut(tx, job)
        : await this.claimOne(tx, job, instanceId);
      if (mine !== undefined) claimed.push(mine);
    }
    return claimed;
  }

  private async claimOne(tx: Transaction, job: JobRow, instanceId: string): Promise<ClaimedJob | undefined> {
    const now = this.clock.now();
    const leaseToken = randomUUID();
    const { leaseMs } = this.settings.config.jobs;
    const matched = await tx.execute(
      `UPDATE jobs SET status = 'running', attempt = attempt + 1, due_at = ?, lease_owner = ?, lease_token = ?,
              progress = NULL, updated_at = ?
        WHERE id = ? AND status = ? AND due_at = ?`,
      [now + leaseMs, instanceId, leaseToken, now, job.id, job.status, job.due_at],
    );
    if (matched === 0) return undefined;
    await this.effects.started(tx, JobKind.parse(job.kind), job.payload);
    this.feed.jobChanged(tx, job.id);
    return {
      id: job.id,
      kind: JobKind.parse(job.kind),
      imageId: job.image_id,
      payload: JSON.parse(job.payload),
      leaseToken,
      leaseMs,
      attempt: job.attempt + 1,
    };
  }

  /** Its last attempt ended with the death of its worker. */
  private isWornOut({ kind, attempt }: JobRow): boolean {
    return attempt >= attemptsOf(JobKind.parse(kind), this.settings.config);
  }

  private async endWornOut(tx: Transaction, job: JobRow): Promise<undefined> {
    const error = { code: 'INTERNAL', message: 'The worker died at each attempt' };
    const now = this.clock.now();
    const matched = await tx.execute(
      `UPDATE jobs SET status = 'failed', due_at = ?, last_error = ?, updated_at = ?, lease_owner = NULL
        WHERE id = ? AND status = 'running' AND due_at = ?`,
      [now, JSON.stringify(error), now, job.id, job.due_at],
    );
    if (matched === 1) await this.giveUp(tx, job, error);
  }

  private async giveUp(tx: Transaction, job: JobRow, error: WireError): Promise<void> {
    const kind = JobKind.parse(job.kind);
    await this.effects.failed(tx, kind, job.payload, error);
    await forgetSecrets(tx, job);
    const about = { jobId: job.id, kind, imageId: job.image_id, error: error.message };
    await this.outbox.write(tx, jobEvents.failed, job.id, about);
    this.feed.jobChanged(tx, job.id);
    tx.afterCommit(() => jobsEnded.inc({ kind, outcome: 'failed' }));
  }

  async heartbeat({ jobId, leaseToken, progress }: RequestOf<Calls['heartbeat']>): Promise<Outcome> {
    const now = this.clock.now();
    return this.database.unitOfWork.run(async (tx) => {
      const matched = await tx.execute(
        `UPDATE jobs SET due_at = ?, updated_at = ?, progress = COALESCE(?, progress) WHERE ${HELD}`,
        [
          now + this.settings.config.jobs.leaseMs,
          now,
          progress === null ? null : JSON.stringify(progress),
          jobId,
          leaseToken,
        ],
      );
      if (matched === 0) return lost;
      if (progress !== null) await this.noteProgress(tx, jobId, progress);
      return ok;
    });
  }

  private async noteProgress(tx: Transaction, jobId: string, progress: Progress): Promise<void> {
    const job = await findJob(tx, jobId);
    if (job === undefined) return;
    await this.effects.progressed(tx, JobKind.parse(job.kind), job.payload, progress);
    this.feed.jobChanged(tx, jobId);
  }

  complete({ jobId, leaseToken, result, progress }: RequestOf<Calls['complete']>): Promise<Outcome> {
    return this.database.unitOfWork.run(async (tx) => {
      const matched = await tx.execute(
        `UPDATE jobs SET status = 'done', updated_at = ?, lease_owner = NULL, progress = COALESCE(?, progress)
          WHERE ${HELD}`,
        [this.clock.now(), progress === undefined ? null : JSON.stringify(progress), jobId, leaseToken],
      );
      const job = await findJob(tx, jobId);
      if (matched === 0 || job === undefined)
        return job?.status === 'done' && job.lease_token === leaseToken ? ok : lost;
      const kind = JobKind.parse(job.kind);
      await this.effects.completed(tx, kind, job.payload, result);
      await forgetSecrets(tx, job);
      await this.noteIfForNothing(tx, job, progress);
      this.feed.jobChanged(tx, jobId);
      await this.outbox.write(tx, jobEvents.completed, jobId, { jobId, kind, imageId: job.image_id });
      tx.afterCommit(() => jobsEnded.inc({ kind, outcome: 'done' }));
      return ok;
    });
  }

  /** The work was done, and its task failed all the same: that is what people are to see of it. */
  private async noteIfForNothing(
    tx: Transaction,
    job: JobRow,
    progress: Progress | undefined,
  ): Promise<void> {
    const taskId = taskIdOf(job.payload);
    if (taskId === null) return;
    const [task] = await tx.query<{ message: string | null }>(
      `SELECT i.message FROM tasks t JOIN task_info i ON i.task_id = t.id
        WHERE t.id = ? AND t.status = 'failure'`,
      [taskId],
    );
    if (task === undefined) return;
    const failed: Progress = { bytesDone: 0, bytesTotal: null, ...progress, phase: 'failed' };
    const error = { code: 'TRANSFER_ABORTED', message: task.message ?? '' };
    await tx.execute('UPDATE jobs SET progress = ?, last_error = ? WHERE id = ?', [
      JSON.stringify(failed),
      JSON.stringify(error),
      job.id,
    ]);
  }

  fail({ jobId, leaseToken, error, isRetryable }: RequestOf<Calls['fail']>): Promise<Outcome> {
    return this.database.unitOfWork.run(async (tx) => {
      const job = await findJob(tx, jobId);
      if (job === undefined) return lost;
      const kind = JobKind.parse(job.kind);
      const failure = { kind, attempt: job.attempt, code: error.code, isRetryable };
      const next = afterFailure(failure, this.settings.config, Math.random());
      const now = this.clock.now();
      const matched = await tx.execute(
        `UPDATE jobs SET status = ?, due_at = ?, last_error = ?, updated_at = ?, lease_owner = NULL WHERE ${HELD}`,
        [
          next === 'give-up' ? 'failed' : 'queued',
          next === 'give-up' ? now : now + next.retryInMs,
          JSON.stringify({ code: error.code, message: error.message.slice(0, MAX_MESSAGE) }),
          now,
          jobId,
          leaseToken,
        ],
      );
      if (matched === 0) return lost;
      if (next === 'give-up') await this.giveUp(tx, job, error);
      else {
        this.feed.jobChanged(tx, jobId);
        tx.afterCommit(() => jobsEnded.inc({ kind, outcome: 'retried' }));
      }
      return ok;
    });
  }

  release({ jobId, leaseToken }: RequestOf<Calls['release']>): Promise<Outcome> {
    return this.database.unitOfWork.run(async (tx) => {
      const isReleased = await this.giveBack(tx, HELD, [jobId, leaseToken]);
      const job = isReleased ? await findJob(tx, jobId) : undefined;
      if (job === undefined) return lost;
      await this.queue.announce(tx, jobId, JobKind.parse(job.kind));
      this.feed.jobChanged(tx, jobId);
      return ok;
    });
  }

  /** The instance has ended: its jobs are due at once, and the attempts don't count. */
  async releaseAllOf(tx: Transaction, instanceId: string): Promise<void> {
    await this.giveBack(tx, "lease_owner = ? AND status = 'running'", [instanceId]);
  }

  private async giveBack(tx: Transaction, which: string, values: string[]): Promise<boolean> {
    const now = this.clock.now();
    const matched = await tx.execute(
      `UPDATE jobs SET status = 'queued', due_at = ?, updated_at = ?, attempt = attempt - 1, lease_owner = NULL
        WHERE ${which}`,
      [now, now, ...values],
    );
    return matched > 0;
  }
}

async function findJob(tx: Transaction, id: string): Promise<JobRow | undefined> {
  const [job] = await tx.query<JobRow>(
    'SELECT id, kind, status, image_id, payload, attempt, lease_token FROM jobs WHERE id = ?',
    [id],
  );
  return job;
}

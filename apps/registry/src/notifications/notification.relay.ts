import { isServiceError } from '@glimpse/contracts';
import { counter, gauge, metricNames } from '@glimpse/observability';
import { Database, type NotificationRow, type SqlCondition, placeholders } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { SingletonLeases } from '../leases/singleton-leases.js';
import { type Failure, OrderedRelay, PRUNE_BATCH, type Sending } from '../outbox/ordered-relay.js';
import { RegistrySettings } from '../registry-settings.js';
import { NotificationOutlet } from './notification-outlet.js';
import { NotificationSignal } from './notification-signal.js';

/** The pauses while notifications can't be sent, doubling. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const MEASURE_EVERY_MS = 5_000;
/** The pauses of one that can't be sent while others can, doubling. */
const FIRST_HOLD_MS = 1_000;
const LONGEST_HOLD_MS = 300_000;
/** How many of those are tried again in one go, and for how long. */
const HELD_BATCH = 50;
const HELD_BUDGET_MS = 5_000;
const LEASE = 'notification-relay';
const COLUMNS =
  'id, message_id, event_type, priority, subject, payload, occurred_at, attempts, held_until, sent_at';
/** How often what an earlier configuration left is looked for. */
const OFF_PAUSE_MS = 3_600_000;

const notified = counter({
  name: metricNames.notifications,
  help: 'Notifications of oslo.messaging, by what became of them: sent, failed (and tried again) or dropped.',
  labelNames: ['outcome'],
});
const waiting = gauge({
  name: metricNames.notificationsWaiting,
  help: 'Notifications that are not sent yet.',
});
const held = gauge({
  name: metricNames.notificationsHeld,
  help: 'Of them, those that the broker did not take while it could be spoken to, each with what follows it on its subject.',
});
const oldest = gauge({
  name: metricNames.notificationsOldest,
  help: 'How long the first of them has waited, in seconds.',
});

const holdMs = (attempts: number) => Math.min(LONGEST_HOLD_MS, FIRST_HOLD_MS * 2 ** attempts);

/**
 * Sends the notifications that were committed: each at least once, those of one subject in the order of their commits.
 * It never holds up a request; while they can't be sent they wait in the database. One that the broker does not take
 * waits by itself, with those behind it on its subject.
 */
@Injectable()
export class NotificationRelay extends OrderedRelay<NotificationRow> {
  private failures = 0;
  private pausedUntil = 0;
  private nextMeasure = 0;

  constructor(
    database: Database,
    private readonly outlet: NotificationOutlet,
    leases: SingletonLeases,
    private readonly signal: NotificationSignal,
    clock: Clock,
    settings: RegistrySettings,
  ) {
    const relayed = {
      name: 'notification relay',
      lease: LEASE,
      table: 'notifications',
      columns: COLUMNS,
      ...settings.config.notifications,
    } as const;
    super(relayed, { database, leases, clock, settings });
  }

  start(): void {
    this.signal.onRaise(() => this.repeater.wake());
    this.repeater.start(() => (this.outlet.isOpen ? this.parts.settings.config.outbox.pollMs : OFF_PAUSE_MS));
  }

  /** Sends what is due, unless the broker was away just now. Where nobody is notified what is left is another's. */
  override async relay(): Promise<void> {
    if (!this.outlet.isOpen) await this.pruneLeft();
    else if (this.parts.clock.now() >= this.pausedUntil) await this.relayOrPause();
  }

  override async stop(): Promise<void> {
    this.pausedUntil = 0;
    await super.stop();
    await this.outlet.close();
  }

  /** They are counted now and then, with those that are held; here where another registry counts. */
  protected override measured(): void {
    if (this.isHolder) return;
    for (const value of [waiting, held, oldest]) value.set(0);
  }

  protected override get due(): SqlCondition {
    return {
      sql: `sent_at IS NULL AND subject NOT IN
        (SELECT h.subject FROM notifications h WHERE h.sent_at IS NULL AND h.held_until IS NOT NULL)`,
      values: [],
    };
  }

  protected override async send(row: NotificationRow): Promise<Sending> {
    const isTried = this.outlet.isReady;
    try {
      await this.outlet.send(row);
      notified.inc({ outcome: 'sent' });
      return { isDone: true };
    } catch (error) {
      const { retry } = this.parts.settings.config.notifications;
      // What will never be taken (too large) must not hold up those behind it.
      const isHopeless = isServiceError(error) && !error.isRetryable;
      if (!isHopeless && (retry === -1 || row.attempts < retry)) {
        notified.inc({ outcome: 'failed' });
        return { isDone: false, error, isTried };
      }
      const about = { err: error, messageId: row.message_id, type: row.event_type };
      this.parts.settings.logger.error(about, 'notification dropped: it could not be sent');
      notified.inc({ outcome: 'dropped' });
      return { isDone: true };
    }
  }

  /**
   * What was tried and failed waits by itself from now on. Others go on, unless the connection is gone: that may be the
   * fault of any of them.
   */
  protected override async whenFailed(failures: readonly Failure<NotificationRow>[]): Promise<void> {
    await this.hold(failures);
    const [first] = failures;
    if (!this.outlet.isReady) throw first?.error;
    const about = {
      err: first?.error,
      count: failures.length,
      messageId: first?.row.message_id,
      type: first?.row.event_type,
    };
    this.parts.settings.logger.warn(about, 'some notifications can not be sent; they wait, others go on');
  }

  /** Beside what was sent long ago, what could not be sent for too long. */
  protected override async prune(now: number): Promise<boolean> {
    const { maxAgeMs } = this.parts.settings.config.notifications;
    const tooOld = await this.remove(
      `SELECT id FROM notifications WHERE sent_at IS NULL AND occurred_at < ? ORDER BY id LIMIT ${PRUNE_BATCH}`,
      [now - maxAgeMs],
    );
    if (tooOld > 0) {
      this.parts.settings.logger.error({ count: tooOld }, 'notifications dropped: they waited for too long');
      notified.inc({ outcome: 'dropped' }, tooOld);
    }
    return (await super.prune(now)) || tooOld === PRUNE_BATCH;
  }

  private async relayOrPause(): Promise<void> {
    try {
      await super.relay();
      // What was behind them may go as well.
      if (await this.sendHeld()) await super.relay();
      this.failures = 0;
    } catch (error) {
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.failures);
      this.failures += 1;
      this.pausedUntil = this.parts.clock.now() + pauseMs;
      this.parts.settings.logger.warn({ err: error, pauseMs }, 'notifications can not be sent; they wait');
      await this.pruneNowAndThen();
    }
    await this.measure();
  }

  /** One after the other: what the broker ends the connection for takes no other with it. False where there is none. */
  private async sendHeld(): Promise<boolean> {
    const { clock, database } = this.parts;
    const until = clock.now() + HELD_BUDGET_MS;
    if (!this.isHolder) return false;
    const rows = await database.query<NotificationRow>(
      `SELECT ${COLUMNS} FROM notifications WHERE sent_at IS NULL AND held_until <= ?
        ORDER BY held_until LIMIT ${HELD_BATCH}`,
      [clock.now()],
    );
    for (const row of rows) if (clock.now() < until) await this.sendRows([row]);
    return rows.length > 0;
  }

  private async hold(failures: readonly Failure<NotificationRow>[]): Promise<void> {
    const { clock, database, settings } = this.parts;
    const counts = settings.config.notifications.retry !== -1;
    await database.unitOfWork.run(async (tx) => {
      for (const isTried of [true, false]) {
        const some = failures.filter((failure) => failure.isTried === isTried && (isTried || counts));
        for (const attempts of new Set(some.map(({ row }) => row.attempts))) {
          const ids = some.flatMap(({ row }) => (row.attempts === attempts ? [row.id] : []));
          await tx.execute(
            `UPDATE notifications SET attempts = ? ${isTried ? ', held_until = ?' : ''} WHERE id IN (${placeholders(ids)})`,
            [attempts + 1, ...(isTried ? [clock.now() + holdMs(attempts)] : []), ...ids],
          );
        }
      }
    });
  }

  private async measure(): Promise<void> {
    const now = this.parts.clock.now();
    if (now < this.nextMeasure || !this.isHolder) return;
    this.nextMeasure = now + MEASURE_EVERY_MS;
    const { database } = this.parts;
    const [count] = await database.query<{ waiting: number | string }>(
      'SELECT COUNT(*) AS waiting FROM notifications WHERE sent_at IS NULL',
    );
    const [first] = await database.query<Pick<NotificationRow, 'occurred_at'>>(
      'SELECT occurred_at FROM notifications WHERE sent_at IS NULL ORDER BY id LIMIT 1',
    );
    const [failed] = await database.query<{ held: number | string }>(
      'SELECT COUNT(*) AS held FROM notifications WHERE sent_at IS NULL AND held_until IS NOT NULL',
    );
    waiting.set(Number(count?.waiting ?? 0));
    held.set(Number(failed?.held ?? 0));
    oldest.set(first === undefined ? 0 : Math.max(0, now - first.occurred_at) / 1000);
  }

  /**
   * Forgets what is too old where no registry sends. What is younger may be another's, whose configuration differs while
   * that is being changed.
   */
  private async pruneLeft(): Promise<void> {
    const { database, leases, clock } = this.parts;
    if ((await database.query('SELECT id FROM notifications LIMIT 1')).length === 0) return;
    if (!(await leases.hold(LEASE))) return;
    while (await this.prune(clock.now()));
    await leases.release(LEASE);
  }
}

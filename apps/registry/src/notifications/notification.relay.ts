import { isServiceError } from '@glimpse/contracts';
import { counter, gauge, metricNames } from '@glimpse/observability';
import { Database, type NotificationRow } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { SingletonLeases } from '../leases/singleton-leases.js';
import { OrderedRelay, PRUNE_BATCH, type Sending } from '../outbox/ordered-relay.js';
import { RegistrySettings } from '../registry-settings.js';
import { NotificationOutlet } from './notification-outlet.js';
import { NotificationSignal } from './notification-signal.js';

/** The pauses while notifications can't be sent, doubling. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const MEASURE_EVERY_MS = 5_000;
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
const oldest = gauge({
  name: metricNames.notificationsOldest,
  help: 'How long the first of them has waited, in seconds.',
});

/**
 * Sends the notifications that were committed: each at least once, those of one subject in the order of their commits.
 * It never holds up a request; while they can't be sent they wait in the database.
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
      lease: 'notification-relay',
      table: 'notifications',
      columns: 'id, message_id, event_type, priority, subject, payload, occurred_at, attempts, sent_at',
      ...settings.config.notifications,
    } as const;
    super(relayed, { database, leases, clock, settings });
  }

  start(): void {
    this.signal.onRaise(() => this.repeater.wake());
    this.repeater.start(() => (this.outlet.isOpen ? this.parts.settings.config.outbox.pollMs : OFF_PAUSE_MS));
  }

  /** Sends what is due, unless a failure was just now. Where nobody is notified any more what was left is forgotten. */
  override async relay(): Promise<void> {
    if (!this.outlet.isOpen) await this.forgetAll();
    else if (this.parts.clock.now() >= this.pausedUntil) await this.relayOrPause();
  }

  override async stop(): Promise<void> {
    this.pausedUntil = 0;
    await super.stop();
    await this.outlet.close();
  }

  protected override measured(count: number): void {
    if (count === 0) {
      waiting.set(0);
      oldest.set(0);
    }
  }

  protected override async send(row: NotificationRow): Promise<Sending> {
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
        if (retry !== -1) await this.countAttempt(row);
        return { isDone: false, error };
      }
      const about = { err: error, messageId: row.message_id, type: row.event_type };
      this.parts.settings.logger.error(about, 'notification dropped: it could not be sent');
      notified.inc({ outcome: 'dropped' });
      return { isDone: true };
    }
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

  private async countAttempt({ id }: NotificationRow): Promise<void> {
    await this.parts.database.unitOfWork.run((tx) =>
      tx.execute('UPDATE notifications SET attempts = attempts + 1 WHERE id = ?', [id]),
    );
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
    waiting.set(Number(count?.waiting ?? 0));
    oldest.set(first === undefined ? 0 : Math.max(0, now - first.occurred_at) / 1000);
  }

  private async forgetAll(): Promise<void> {
    const select = `SELECT id FROM notifications ORDER BY id LIMIT ${PRUNE_BATCH}`;
    while ((await this.remove(select, [])) === PRUNE_BATCH);
  }
}

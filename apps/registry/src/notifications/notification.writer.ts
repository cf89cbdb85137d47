import { randomUUID } from 'node:crypto';
import { type EventDefinition, type PayloadOf, isNotificationNamed } from '@glimpse/contracts';
import { type Transaction, fromDatabaseTime } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { RegistrySettings } from '../registry-settings.js';
import type { Notice } from './notice.js';
import { noticesOf } from './notices-of-event.js';
import { NotificationSignal } from './notification-signal.js';

/** Keeps what others are to be notified of, with the change itself. Where nobody is notified it does nothing at all. */
@Injectable()
export class NotificationWriter {
  /** Whether anybody is notified of anything. */
  readonly isOn: boolean;

  constructor(
    private readonly clock: Clock,
    private readonly signal: NotificationSignal,
    private readonly settings: RegistrySettings,
  ) {
    this.isOn = settings.config.notifications.driver !== 'noop';
  }

  /**
   * Notifies when, and only when, the transaction is committed; of one subject in this order. `identity` is that of the
   * one notice, where it was given one before.
   */
  async write(
    tx: Transaction,
    subject: string,
    notices: readonly Notice[],
    identity?: { readonly messageId: string; readonly occurredAt: number },
  ): Promise<void> {
    if (!this.isOn) return;
    const { disabledNotifications } = this.settings.config.notifications;
    const wanted = notices.filter(({ type }) => !isNotificationNamed(type, disabledNotifications));
    if (wanted.length === 0) return;
    await tx.insert(
      'notifications',
      wanted.map(({ type, priority, payload }) => ({
        message_id: identity?.messageId ?? randomUUID(),
        event_type: type,
        priority,
        subject,
        payload: JSON.stringify(payload),
        occurred_at: identity?.occurredAt ?? this.clock.now(),
      })),
    );
    tx.afterCommit(() => this.signal.raise());
  }

  /** As `write`, of what goes with events. */
  async writeOf<D extends EventDefinition>(
    tx: Transaction,
    definition: D,
    subject: string,
    payloads: readonly PayloadOf<D>[],
  ): Promise<void> {
    if (!this.isOn) return;
    const now = fromDatabaseTime(this.clock.databaseNow());
    await this.write(
      tx,
      subject,
      payloads.flatMap((payload) => noticesOf(definition, payload, now)),
    );
  }
}

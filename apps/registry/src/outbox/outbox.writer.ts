import { randomUUID } from 'node:crypto';
import type { EventDefinition, PayloadOf } from '@glimpse/contracts';
import { currentContext } from '@glimpse/observability';
import type { NewRow, Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { NotificationWriter } from '../notifications/notification.writer.js';
import { OutboxSignal } from './outbox-signal.js';

export interface WriteOptions {
  /** False where the notifications that go with it are written by themselves. */
  readonly isNotified?: boolean;
}

/** The one way to announce something: with the change itself. */
@Injectable()
export class OutboxWriter {
  /** What transactions that go on have announced so far: it is written in one statement, at their ends. */
  private readonly unwritten = new WeakMap<Transaction, NewRow<'outbox'>[]>();

  constructor(
    private readonly clock: Clock,
    private readonly signal: OutboxSignal,
    private readonly notifications: NotificationWriter,
  ) {}

  /**
   * Announces the event when, and only when, the transaction is committed; and notifies of it as Glance does, where that
   * is wanted.
   */
  async write<D extends EventDefinition>(
    tx: Transaction,
    definition: D,
    subject: string,
    payload: PayloadOf<D>,
    options: WriteOptions = {},
  ): Promise<void> {
    await this.writeAll(tx, definition, subject, [payload], options);
  }

  /** As `write`, for any number of events of one kind on one subject. */
  async writeAll<D extends EventDefinition>(
    tx: Transaction,
    definition: D,
    subject: string,
    payloads: readonly PayloadOf<D>[],
    { isNotified = true }: WriteOptions = {},
  ): Promise<void> {
    const rows = this.rowsOf(tx);
    for (const payload of payloads)
      rows.push({
        event_id: randomUUID(),
        name: definition.name,
        subject,
        payload: JSON.stringify(payload),
        traceparent: currentContext()?.traceparent ?? null,
        occurred_at: this.clock.now(),
        sent_at: null,
      });
    if (isNotified) await this.notifications.writeOf(tx, definition, subject, payloads);
  }

  private rowsOf(tx: Transaction): NewRow<'outbox'>[] {
    const known = this.unwritten.get(tx);
    if (known !== undefined) return known;
    const rows: NewRow<'outbox'>[] = [];
    this.unwritten.set(tx, rows);
    tx.beforeCommit(() => tx.insert('outbox', rows));
    tx.afterCommit(() => this.signal.raise());
    return rows;
  }
}

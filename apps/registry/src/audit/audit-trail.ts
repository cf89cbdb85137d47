import { type AuditRecord, type Caller, auditEvents } from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { RegistrySettings } from '../registry-settings.js';
import { type AuditedAction, auditRecord } from './audit-record.js';

export type { AuditedAction };

/** Of an event; the record itself has the whole id. */
const MAX_SUBJECT_LENGTH = 100;

/** Writes down who changed what, with the change itself. */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly outbox: OutboxWriter,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** Notes a change that `tx` makes: it is in the trail when, and only when, the change is committed. */
  async changed(tx: Transaction, ctx: Caller, action: AuditedAction): Promise<void> {
    const observer = this.settings.instanceId;
    await this.record(tx, auditRecord(action, { ctx, observer, atMs: this.clock.now() }));
  }

  /** Notes what somebody did, or tried to: on the bus and in the log, once `tx` is committed. */
  async record(tx: Transaction, record: AuditRecord): Promise<void> {
    const { events, log } = this.settings.config.audit;
    const subject = record.target.id.slice(0, MAX_SUBJECT_LENGTH);
    if (events) await this.outbox.write(tx, auditEvents.recorded, subject, record);
    if (log) tx.afterCommit(() => this.settings.logger.info({ audit: record }, 'audit'));
  }
}

import type { AuditRecord, Caller, ErrorCode } from '@glimpse/contracts';
import { Database } from '@glimpse/persistence';
import { type DefaultRule, type RuleName, allRules } from '@glimpse/policy';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { RegistrySettings } from '../registry-settings.js';
import type { AttemptedOperation } from './attempted-operation.js';
import { auditRecord } from './audit-record.js';
import { AuditTrail } from './audit-trail.js';

/** In place of the id of what has none, and of many. */
const UNKNOWN = 'unknown';

/** That somebody may not do something. */
export interface Denial {
  readonly code: ErrorCode;
  /** The rule of the policy that says so; undefined where it is none of them. */
  readonly rule?: RuleName;
  /** What was tried; that which the rule guards, where there is one. */
  readonly operation?: AttemptedOperation;
  /** What the caller wanted to work on; undefined where it has no id. */
  readonly targetId: string | undefined;
}

interface Attempt {
  readonly ctx: Caller;
  readonly refusal: Denial;
  readonly atMs: number;
  /** Stands for several targets of one caller. */
  readonly isOfMany: boolean;
  count: number;
}

/**
 * Writes down who was refused what. Attempts are gathered for a while and written together, apart from the calls that
 * were refused: the same one again is counted, and a flood becomes one record for each caller, so that it fills neither
 * the database nor the log.
 */
@Injectable()
export class DeniedAttempts {
  private attempts = new Map<string, Attempt>();
  private uncounted = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly trail: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** Returns at once; the record follows. */
  note(ctx: Caller, refusal: Denial): void {
    const { events, log, deniedWindowMs, deniedMaxPerWindow: max } = this.settings.config.audit;
    if (!events && !log) return;
    const who = [ctx.userId, ctx.projectId, ctx.address];
    const isCounted =
      this.count(
        [...who, refusal.rule, refusal.operation, refusal.code, refusal.targetId],
        ctx,
        refusal,
        max,
        false,
      ) ||
      // Too many different ones: now each caller has one record for all that is left.
      this.count(who, ctx, refusal, 2 * max, true);
    if (!isCounted) this.uncounted += 1;
    this.timer ??= setTimeout(() => void this.flush(), deniedWindowMs).unref();
  }

  /** Writes what was gathered; resolves when it is written, or given up. Never rejects. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { attempts, uncounted } = this;
    this.attempts = new Map();
    this.uncounted = 0;
    if (uncounted > 0)
      this.settings.logger.warn(
        { count: uncounted },
        'too many refused attempts: these are not in the audit trail',
      );
    if (attempts.size > 0) this.writing = this.writing.then(() => this.write([...attempts.values()]));
    return this.writing;
  }

  private count(
    key: readonly unknown[],
    ctx: Caller,
    refusal: Denial,
    max: number,
    isOfMany: boolean,
  ): boolean {
    const text = JSON.stringify(key);
    const known = this.attempts.get(text);
    if (known !== undefined) known.count += 1;
    else if (this.attempts.size < max)
      this.attempts.set(text, { ctx, refusal, isOfMany, atMs: this.clock.now(), count: 1 });
    return known !== undefined || this.attempts.has(text);
  }

  private async write(attempts: readonly Attempt[]): Promise<void> {
    const records = attempts.map((attempt) => this.recordOf(attempt));
    try {
      await this.database.unitOfWork.run(async (tx) => {
        for (const record of records) await this.trail.record(tx, record);
      });
    } catch (error) {
      const { logger, config } = this.settings;
      logger.error(
        { err: error, count: records.length },
        'refused attempts could not be put into the audit trail',
      );
      if (config.audit.log) for (const record of records) logger.info({ audit: record }, 'audit');
    }
  }

  private recordOf({ ctx, refusal, isOfMany, atMs, count }: Attempt): AuditRecord {
    const guarded: DefaultRule | undefined = refusal.rule === undefined ? undefined : allRules[refusal.rule];
    const { action, on } = refusal.operation ?? guarded?.operation ?? { action: 'read', on: 'image' };
    return auditRecord(
      { action, on, id: (isOfMany ? undefined : refusal.targetId) ?? UNKNOWN },
      {
        ctx,
        atMs,
        observer: this.settings.instanceId,
        failure: {
          reason: {
            reasonCode: refusal.code,
            ...(refusal.rule === undefined ? {} : { policyId: refusal.rule }),
          },
          tags: [`count:${count}`, ...(isOfMany ? ['many_targets'] : [])],
        },
      },
    );
  }
}

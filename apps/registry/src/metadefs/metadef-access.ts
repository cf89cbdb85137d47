import { type Caller, type MetadefNamespace, ServiceError } from '@glimpse/contracts';
import {
  Database,
  type SqlReader,
  type StoredNamespace,
  type Transaction,
  findNamespace,
  takeNamespace,
} from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { PolicyEngine, namespaceHidden, namespaceNotFound } from '../policy/policy.engine.js';
import type { RuleName } from '@glimpse/policy';

/** What a change works in. `now` is the time of the change, for Glance's columns. */
export interface MetadefChange {
  readonly tx: Transaction;
  readonly now: string;
  readonly stored: StoredNamespace;
}

export interface ChangeOf {
  readonly namespace: string;
  /** All of them have to allow it. */
  readonly rules: readonly RuleName[];
  /** What happens, as the audit trail has it. */
  readonly action: 'create' | 'update' | 'delete';
  /** What it happens to, below the namespace, e.g. `objects/<name>`. */
  readonly what?: string;
  /** Whether a protected namespace keeps it from happening. */
  readonly isDeletion?: boolean;
}

/** The way to a namespace, and to what is in it: who may see it, who may change it, and that nothing comes between. */
@Injectable()
export class MetadefAccess {
  constructor(
    private readonly database: Database,
    private readonly policy: PolicyEngine,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** The namespace, for a caller whom all rules allow what they ask for. Codes: NAMESPACE_NOT_FOUND, ACTION_FORBIDDEN. */
  async read(ctx: Caller, name: string, rules: readonly RuleName[]): Promise<StoredNamespace> {
    const stored = this.assertKnown(ctx, name, rules, await findNamespace(this.database, name));
    this.enforce(ctx, stored.namespace, rules);
    return stored;
  }

  /** What only that rule lets the caller see: all of it, or nothing. */
  visible<T>(rule: RuleName, ctx: Caller, namespace: MetadefNamespace, items: readonly T[]): T[] {
    return this.allows(rule, ctx, namespace) ? [...items] : [];
  }

  allows(rule: RuleName, ctx: Caller, { namespace: name, owner, visibility }: MetadefNamespace): boolean {
    return this.policy.allowsOnNamespace(rule, ctx, { name, owner, visibility });
  }

  /** Whether the caller may know of the namespace, before any rule is asked. */
  isKnown(ctx: Caller, { owner, visibility }: MetadefNamespace): boolean {
    return visibility === 'public' || owner === ctx.projectId || this.policy.isAdmin(ctx);
  }

  /** For what is in no namespace. */
  enforceOnNothing(ctx: Caller, ...rules: readonly RuleName[]): void {
    for (const rule of rules) this.policy.enforceOnNamespace(rule, ctx);
  }

  enforce(
    ctx: Caller,
    { namespace: name, owner, visibility }: Pick<MetadefNamespace, 'namespace' | 'owner' | 'visibility'>,
    rules: readonly RuleName[],
  ): void {
    for (const rule of rules) this.policy.enforceOnNamespace(rule, ctx, { name, owner, visibility });
  }

  /** The time for Glance's columns. */
  now(): string {
    return this.clock.databaseNow();
  }

  /** One transaction. What was read in it still holds when it ends. */
  run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.unitOfWork.run(work);
  }

  get sql(): SqlReader {
    return this.database;
  }

  /**
   * Changes a namespace or what is in it, in one transaction that no other change to the namespace comes between, and
   * notes who did it. Codes: those of `read`, METADEF_PROTECTED.
   */
  change<T>(ctx: Caller, change: ChangeOf, work: (change: MetadefChange) => Promise<T>): Promise<T> {
    return this.run(async (tx) => {
      const name = change.namespace;
      const stored = this.assertKnown(ctx, name, change.rules, await takeNamespace(tx, name));
      this.enforce(ctx, stored.namespace, change.rules);
      if (change.isDeletion === true && stored.namespace.protected) throw isProtected(stored.namespace);
      const result = await work({ tx, now: this.now(), stored });
      await this.note(tx, ctx, change.action, stored.namespace.namespace, change.what);
      return result;
    });
  }

  /** Writes down who did what to a namespace, or to `what` in it. */
  async note(
    tx: Transaction,
    ctx: Caller,
    action: ChangeOf['action'],
    namespace: string,
    what?: string,
  ): Promise<void> {
    const id = what === undefined ? namespace : `${namespace}/${what}`;
    await this.audit.changed(tx, ctx, { action, on: 'metadef', id });
  }

  private assertKnown(
    ctx: Caller,
    name: string,
    rules: readonly RuleName[],
    stored: StoredNamespace | undefined,
  ): StoredNamespace {
    if (stored === undefined) throw namespaceNotFound(name);
    if (!this.isKnown(ctx, stored.namespace))
      throw namespaceHidden(rules[0] ?? 'get_metadef_namespace', name);
    return stored;
  }
}

const isProtected = ({ namespace }: MetadefNamespace) =>
  new ServiceError(
    'METADEF_PROTECTED',
    `Metadata definition namespace ${namespace} is protected: neither it nor what is in it can be deleted.`,
  );

/** The answer for something that is not in its namespace. */
export const metadefNotFound = (kind: string, name: string, namespace: string) =>
  new ServiceError(
    'METADEF_NOT_FOUND',
    `The metadata definition ${kind} with name=${name} was not found in namespace=${namespace}.`,
  );

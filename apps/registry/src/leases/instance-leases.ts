import { type Transaction, UniqueViolation } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { RegistrySettings } from '../registry-settings.js';

/** How long a dead instance is remembered, in leases. */
const FORGET_AFTER_LEASES = 10;

/** Which processes are alive: each renews its lease well before it runs out. */
@Injectable()
export class InstanceLeases {
  constructor(
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  get leaseMs(): number {
    return this.settings.config.leases.instanceLeaseMs;
  }

  /** Takes or renews the lease. */
  async renew(tx: Transaction, instance: { instanceId: string; details?: object }): Promise<void> {
    const { instanceId, details } = instance;
    const now = this.clock.now();
    const extend = () =>
      tx.execute("UPDATE leases SET expires_at = ? WHERE kind = 'instance' AND id = ?", [
        now + this.leaseMs,
        instanceId,
      ]);
    if ((await extend()) === 1) return;
    try {
      await tx.insert('leases', [
        {
          kind: 'instance',
          id: instanceId,
          owner: instanceId,
          state: 'held',
          expires_at: now + this.leaseMs,
          details: details === undefined ? null : JSON.stringify(details),
          created_at: now,
        },
      ]);
    } catch (error) {
      // Its first two signs of life came at once.
      if (!(error instanceof UniqueViolation)) throw error;
      await extend();
    }
  }

  /** The process is ending, or dead. */
  async release(tx: Transaction, instanceId: string): Promise<void> {
    await tx.execute("DELETE FROM leases WHERE kind = 'instance' AND id = ?", [instanceId]);
  }

  async forgetDead(tx: Transaction): Promise<void> {
    await tx.execute("DELETE FROM leases WHERE kind = 'instance' AND expires_at < ?", [
      this.clock.now() - FORGET_AFTER_LEASES * this.leaseMs,
    ]);
  }
}

import { Database, UniqueViolation } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { RegistrySettings } from '../registry-settings.js';

/** Lets one registry among all do something that is done once. */
@Injectable()
export class SingletonLeases {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** How long a lease lasts that is not renewed. */
  get leaseMs(): number {
    return this.settings.config.leases.instanceLeaseMs;
  }

  /** Takes or renews the lease; false while another registry has it. */
  hold(name: string): Promise<boolean> {
    const { instanceId } = this.settings;
    return this.database.unitOfWork.run(async (tx) => {
      const now = this.clock.now();
      const matched = await tx.execute(
        `UPDATE leases SET owner = ?, expires_at = ?
          WHERE kind = 'singleton' AND id = ? AND (owner = ? OR expires_at <= ?)`,
        [instanceId, now + this.leaseMs, name, instanceId, now],
      );
      if (matched === 1) return true;
      const rows = await tx.query("SELECT id FROM leases WHERE kind = 'singleton' AND id = ?", [name]);
      if (rows.length > 0) return false;
      try {
        await tx.insert('leases', [
          {
            kind: 'singleton',
            id: name,
            owner: instanceId,
            state: 'held',
            expires_at: now + this.leaseMs,
            created_at: now,
          },
        ]);
        return true;
      } catch (error) {
        if (error instanceof UniqueViolation) return false;
        throw error;
      }
    });
  }

  /** Lets another registry have it at once. */
  async release(name: string): Promise<void> {
    await this.database.unitOfWork.run((tx) =>
      tx.execute("DELETE FROM leases WHERE kind = 'singleton' AND id = ? AND owner = ?", [
        name,
        this.settings.instanceId,
      ]),
    );
  }
}

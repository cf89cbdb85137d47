import { type ImageLocation, storeOf } from '@glimpse/contracts';
import { gauge, metricNames } from '@glimpse/observability';
import { Database } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { parseMetadata } from '../images/image-parts.js';
import { LocationStores } from '../locations/location-stores.js';
import { RegistrySettings } from '../registry-settings.js';
import { Repeater } from '../repeater.js';
import { intervalMsOf } from './verification-times.js';

const damagedCopies = gauge({
  name: metricNames.damagedCopies,
  help: 'Copies of image data that are out of service since they are damaged or lost.',
  labelNames: ['store', 'state'],
});
const overdueCopies = gauge({
  name: metricNames.overdueCopies,
  help: 'Copies of image data that should have been verified more than a day ago.',
});

const DAY_MS = 86_400_000;

/** Counts the copies that are out of service, for an alarm, and those that verification has not come round to. */
@Injectable()
export class DamageGauge {
  private readonly repeater: Repeater;

  constructor(
    private readonly database: Database,
    private readonly stores: LocationStores,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {
    this.repeater = new Repeater('counting of damaged copies', settings.logger, () => this.count());
  }

  start(): void {
    this.repeater.start(() => this.settings.config.leases.reaperIntervalMs);
  }

  stop(): Promise<void> {
    return this.repeater.stop();
  }

  private async count(): Promise<void> {
    const rows = await this.database.query<{ state: string; value: string; meta_data: string | null }>(
      `SELECT c.state, l.value, l.meta_data FROM location_checks c JOIN image_locations l ON l.id = c.location_id
        WHERE c.damaged_at IS NOT NULL AND l.deleted = 0`,
    );
    const { defaultStore, verification } = this.settings.config;
    damagedCopies.reset();
    for (const store of Object.keys(this.settings.config.stores))
      for (const state of ['damaged', 'missing']) damagedCopies.set({ store, state }, 0);
    for (const { state, value, meta_data: metadata } of rows) {
      const location: ImageLocation = this.stores.named({ url: value, metadata: parseMetadata(metadata) });
      damagedCopies.inc({ store: storeOf(location) ?? defaultStore, state });
    }
    const before = this.clock.now() - intervalMsOf(verification) - DAY_MS;
    const [overdue] =
      verification.intervalDays === 0
        ? []
        : await this.database.query<{ copies: number }>(
            'SELECT COUNT(*) AS copies FROM location_checks WHERE turn_at < ?',
            [before],
          );
    overdueCopies.set(overdue?.copies ?? 0);
  }
}

import { type Caller, type CopyState, imageEvents, storeOf, verificationEvents } from '@glimpse/contracts';
import { counter, metricNames } from '@glimpse/observability';
import type { Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { ImageReader } from '../images/image-reader.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { RegistrySettings } from '../registry-settings.js';
import type { Copy } from './copy-checks.js';

const verifications = counter({
  name: metricNames.verifications,
  help: 'Looks at copies of stored data, by what they came to.',
  labelNames: ['state'],
});
const repairs = counter({
  name: metricNames.repairs,
  help: 'Repairs of damaged copies, by what came of them.',
  labelNames: ['outcome'],
});

/** Whom the audit trail names for what nobody asked for. */
const verifierOf = (requestId: string): Caller => ({
  requestId,
  userId: 'glimpse-verification',
  projectId: null,
  domainId: null,
  systemScope: null,
  roles: [],
  serviceRoles: [],
});

/** Tells others what verification found: events, the audit trail, the log and metrics. */
@Injectable()
export class DamageReports {
  constructor(
    private readonly reader: ImageReader,
    private readonly outbox: OutboxWriter,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** Somebody looked at a copy, which is read from after it, or not. */
  async looked(
    tx: Transaction,
    { imageId, location }: Copy,
    { state, reason, isInService }: { state: CopyState; reason: string | null; isInService: boolean },
  ): Promise<void> {
    const storeId = storeOf(location) ?? null;
    await this.outbox.write(tx, verificationEvents.verified, imageId, {
      imageId,
      storeId,
      state,
      isInService,
      reason,
    });
    tx.afterCommit(() => verifications.inc({ state }));
  }

  /** A copy is read from no more. */
  async takenOut(tx: Transaction, copy: Copy, reason: string | null): Promise<void> {
    await this.changed(tx, copy, 'disable');
    tx.afterCommit(() =>
      this.settings.logger.error(
        { ...about(copy), reason },
        'a copy of image data is damaged: it is out of service',
      ),
    );
  }

  /** A copy that was out of service was found to be whole. */
  async takenBack(tx: Transaction, copy: Copy): Promise<void> {
    await this.changed(tx, copy, 'enable');
    tx.afterCommit(() =>
      this.settings.logger.warn(about(copy), 'a copy of image data is whole again: it is in service'),
    );
  }

  /** A good copy took its place. */
  async repaired(tx: Transaction, copy: Copy): Promise<void> {
    const { imageId, location } = copy;
    await this.outbox.write(tx, verificationEvents.repaired, imageId, {
      imageId,
      storeId: storeOf(location) ?? null,
    });
    await this.changed(tx, copy, 'update');
    tx.afterCommit(() => {
      repairs.inc({ outcome: 'repaired' });
      this.settings.logger.warn(about(copy), 'a damaged copy of image data was repaired');
    });
  }

  notRepaired(tx: Transaction, copy: Copy, reason: string): void {
    tx.afterCommit(() => {
      repairs.inc({ outcome: 'not-repaired' });
      this.settings.logger.error({ ...about(copy), reason }, 'a damaged copy of image data was not repaired');
    });
  }

  /** The image is shown otherwise than before. */
  async imageChanged(tx: Transaction, imageId: string): Promise<void> {
    await tx.execute('UPDATE images SET updated_at = ? WHERE id = ?', [this.clock.databaseNow(), imageId]);
    const after = await this.reader.findIn(tx, imageId);
    if (after !== undefined)
      await this.outbox.write(tx, imageEvents.updated, imageId, { image: after.image });
  }

  private async changed(tx: Transaction, copy: Copy, action: 'disable' | 'enable' | 'update') {
    const { imageId, locationId } = copy;
    await this.imageChanged(tx, imageId);
    const ctx = verifierOf(`req-verification-${locationId}`);
    await this.audit.changed(tx, ctx, { action, on: 'location', id: imageId });
  }
}

const about = ({ imageId, location }: Copy) => ({ imageId, storeId: storeOf(location) ?? null });

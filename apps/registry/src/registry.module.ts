import { BusModule, type BusOptions } from '@glimpse/bus';
import type { Config } from '@glimpse/config';
import type { Logger } from '@glimpse/observability';
import { Database } from '@glimpse/persistence';
import { type DynamicModule, Module } from '@nestjs/common';
import { AuditRefusals } from './audit/audit-refusals.js';
import { AuditTrail } from './audit/audit-trail.js';
import { CacheRpc } from './cache/cache.rpc.js';
import { CacheService } from './cache/cache.service.js';
import { DeniedAttempts } from './audit/denied-attempts.js';
import { Clock, SystemClock } from './clock.js';
import { imageProviders } from './images/image-providers.js';
import { ImagesRpc } from './images/images.rpc.js';
import { DataRemoval } from './jobs/data-removal.js';
import { importProviders } from './imports/import-parts.js';
import { ImportsRpc } from './imports/imports.rpc.js';
import { jobEffectsProvider } from './job-effects.provider.js';
import { JobQueue } from './jobs/job-queue.js';
import { JobsGauge } from './jobs/jobs.gauge.js';
import { JobsRpc } from './jobs/jobs.rpc.js';
import { JobsService } from './jobs/jobs.service.js';
import { InstanceLeases } from './leases/instance-leases.js';
import { InstancesRpc } from './leases/instances.rpc.js';
import { ReapedUploads } from './leases/reaped-uploads.js';
import { Reaper } from './leases/reaper.js';
import { SingletonLeases } from './leases/singleton-leases.js';
import { UploadLeases } from './leases/upload-leases.js';
import { MembersRpc } from './members/members.rpc.js';
import { locationControllers, locationProviders } from './locations/location-parts.js';
import { metadefControllers, metadefProviders } from './metadefs/metadef-parts.js';
import { notificationProviders } from './notifications/notification-parts.js';
import { NotificationsRpc } from './notifications/notifications.rpc.js';
import { OutboxSignal } from './outbox/outbox-signal.js';
import { OutboxRelay } from './outbox/outbox.relay.js';
import { OutboxWriter } from './outbox/outbox.writer.js';
import { PolicyEngine } from './policy/policy.engine.js';
import { PolicySource } from './policy/policy-source.js';
import { UsageRpc } from './quotas/usage.rpc.js';
import { reconcileProviders } from './reconcile/reconcile-parts.js';
import { ReconcileRpc } from './reconcile/reconcile.rpc.js';
import { RegistrySettings } from './registry-settings.js';
import { snapshotProviders } from './snapshots/snapshot-parts.js';
import { SnapshotsRpc } from './snapshots/snapshots.rpc.js';
import { TagsRpc } from './tags/tags.rpc.js';
import { verificationProviders } from './verification/verification-parts.js';
import { VerificationRpc } from './verification/verification.rpc.js';
import { TransferFeed } from './transfers/transfer-feed.js';
import { TransfersRpc } from './transfers/transfers.rpc.js';
import { TransfersService } from './transfers/transfers.service.js';
import { UploadNotes } from './transfers/upload-notes.js';
import { webhookProviders } from './webhooks/webhook-parts.js';
import { WebhooksRpc } from './webhooks/webhooks.rpc.js';

export interface RegistryOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly instanceId: string;
  /** Open and migrated; who opened it closes it. */
  readonly database: Database;
  readonly bus: BusOptions;
}

@Module({})
export class RegistryModule {
  static forRoot({ config, logger, instanceId, database, bus }: RegistryOptions): DynamicModule {
    return {
      module: RegistryModule,
      imports: [BusModule.forRoot(bus)],
      controllers: [
        ImagesRpc,
        TagsRpc,
        MembersRpc,
        UsageRpc,
        JobsRpc,
        InstancesRpc,
        CacheRpc,
        ImportsRpc,
        SnapshotsRpc,
        VerificationRpc,
        ReconcileRpc,
        TransfersRpc,
        WebhooksRpc,
        NotificationsRpc,
        ...locationControllers,
        ...metadefControllers,
      ],
      providers: [
        { provide: RegistrySettings, useValue: new RegistrySettings(config, instanceId, logger) },
        { provide: Database, useValue: database },
        { provide: Clock, useClass: SystemClock },
        PolicyEngine,
        PolicySource,
        OutboxSignal,
        OutboxWriter,
        OutboxRelay,
        ...notificationProviders(config, bus),
        AuditTrail,
        DeniedAttempts,
        AuditRefusals,
        JobQueue,
        DataRemoval,
        JobsService,
        JobsGauge,
        jobEffectsProvider,
        InstanceLeases,
        TransferFeed,
        UploadNotes,
        TransfersService,
        UploadLeases,
        SingletonLeases,
        ReapedUploads,
        Reaper,
        ...imageProviders,
        ...importProviders,
        ...snapshotProviders,
        ...verificationProviders,
        ...reconcileProviders,
        ...webhookProviders,
        CacheService,
        ...locationProviders,
        ...metadefProviders,
      ],
    };
  }
}

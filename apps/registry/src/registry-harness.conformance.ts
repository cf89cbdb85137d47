import { randomUUID } from 'node:crypto';
import { BusStatus, EventPublisher, LiveEvents } from '@glimpse/bus';
import { type Config, loadConfig } from '@glimpse/config';
import type { Caller, EventEnvelope, ImageQuery, NewImage, StoredData } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import {
  Database,
  type NewRow,
  type NotificationRow,
  type TableName,
  type Tables,
} from '@glimpse/persistence';
import { anImageQuery } from '@glimpse/testing';
import { Test } from '@nestjs/testing';
import { DeniedAttempts } from './audit/denied-attempts.js';
import { CacheService } from './cache/cache.service.js';
import { Clock } from './clock.js';
import { ImageDataService } from './images/image-data.service.js';
import { ImageListService } from './images/image-list.service.js';
import { ImageActions } from './images/image-actions.js';
import { ImagesService } from './images/images.service.js';
import { Scrubber } from './images/scrubber.js';
import { ConversionsService } from './imports/conversions.service.js';
import { ImportsService } from './imports/imports.service.js';
import { StagingService } from './imports/staging.service.js';
import { InstancesRpc } from './leases/instances.rpc.js';
import { JobsService } from './jobs/jobs.service.js';
import { MembersService } from './members/members.service.js';
import { ProjectQuotas } from './quotas/project-quotas.js';
import { Reaper } from './leases/reaper.js';
import { MetadefNamespaceListService } from './metadefs/metadef-namespace-list.service.js';
import { MetadefNamespacesService } from './metadefs/metadef-namespaces.service.js';
import { MetadefObjectsService } from './metadefs/metadef-objects.service.js';
import { MetadefPropertiesService } from './metadefs/metadef-properties.service.js';
import { MetadefResourceTypesService } from './metadefs/metadef-resource-types.service.js';
import { MetadefTagsService } from './metadefs/metadef-tags.service.js';
import { LocationProbe, type ProbeOutcome } from './locations/location-probe.js';
import { LocationsService } from './locations/locations.service.js';
import { NotificationOutlet } from './notifications/notification-outlet.js';
import { NotificationRelay } from './notifications/notification.relay.js';
import { SentDataService } from './notifications/sent-data.service.js';
import { OutboxRelay } from './outbox/outbox.relay.js';
import { PolicyEngine } from './policy/policy.engine.js';
import { ReconcileRpc } from './reconcile/reconcile.rpc.js';
import { ReconcileGauge } from './reconcile/reconcile.gauge.js';
import { ReconcileSchedule } from './reconcile/reconcile-schedule.js';
import { RegistryModule } from './registry.module.js';
import { StoresService } from './stores/stores.service.js';
import { TaskRecords } from './tasks/task-records.js';
import { TasksService } from './tasks/tasks.service.js';
import { SnapshotCancellation } from './snapshots/snapshot-cancellation.js';
import { SnapshotUpkeep } from './snapshots/snapshot-upkeep.js';
import { SnapshotsService } from './snapshots/snapshots.service.js';
import { TagsService } from './tags/tags.service.js';
import { TransfersService } from './transfers/transfers.service.js';
import { VerificationQueue } from './verification/verification-queue.js';
import { VerificationService } from './verification/verification.service.js';
import { DeliveriesService } from './webhooks/deliveries.service.js';
import { DeliveryClaims } from './webhooks/delivery-claims.js';
import { DeliveryOutcomes } from './webhooks/delivery-outcomes.js';
import { WebhookEvents } from './webhooks/webhook-events.js';
import { WebhookUpkeep } from './webhooks/webhook-upkeep.js';
import { WebhooksService } from './webhooks/webhooks.service.js';

/** A place for databases: each call of `create` makes an empty one. */
export interface DatabasePlace {
  readonly url: string;
  remove(): Promise<void>;
}

export class FakeClock extends Clock {
  private time = Date.UTC(2026, 0, 2, 3, 4, 5);

  now(): number {
    return this.time;
  }

  pass(ms: number): void {
    this.time += ms;
  }
}

/** Keeps what is published, and fails while it is told to. */
export class FakePublisher {
  readonly published: EventEnvelope[] = [];
  fails: (event: EventEnvelope) => boolean = () => false;

  publish(event: EventEnvelope): Promise<void> {
    if (this.fails(event)) return Promise.reject(new Error('no broker'));
    this.published.push(event);
    return Promise.resolve();
  }

  names(): string[] {
    return this.published.map(({ name }) => name);
  }
}

/** Keeps the notifications that are sent, and fails while it is told to. */
export class FakeOutlet {
  readonly sent: NotificationRow[] = [];
  fails: (row: NotificationRow) => boolean | Error = () => false;
  isReady = true;

  constructor(readonly isOpen: boolean) {}

  send(row: NotificationRow): Promise<void> {
    const failure = this.fails(row);
    if (failure !== false) return Promise.reject(failure === true ? new Error('no broker') : failure);
    this.sent.push(row);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Keeps what is announced to those who listen. */
export class FakeLiveEvents {
  readonly announced: { readonly name: string; readonly subject: string; readonly payload: unknown }[] = [];

  announce({ name }: { readonly name: string }, subject: string, payload: unknown): void {
    this.announced.push({ name, subject, payload });
  }
}

/** Answers in place of a store-worker. */
export class FakeProbe {
  readonly asked: string[] = [];
  answer: ProbeOutcome = { size: 1, storeId: 'web' };

  probe(url: string): Promise<ProbeOutcome> {
    this.asked.push(url);
    return Promise.resolve(this.answer);
  }
}

/** One registry without its bus, on a database that several may share. */
export async function startRegistryOn(
  url: string,
  environment: NodeJS.ProcessEnv = {},
  clock = new FakeClock(),
) {
  const config: Config = loadConfig({ GLIMPSE_DATA_DIR: '/nonexistent', ...environment });
  const database = await Database.open({ url, poolSize: 5, connectTimeoutMs: 5000 });
  await database.migrate();
  const publisher = new FakePublisher();
  const live = new FakeLiveEvents();
  const outlet = new FakeOutlet(config.notifications.driver !== 'noop');
  const probe = new FakeProbe();
  const bus = { since: 0 as number | null, connectedSinceMs: () => bus.since };
  const instanceId = `registry-${randomUUID()}`;
  const logger = createLogger('registry', { level: 'silent' });
  const app = await Test.createTestingModule({
    imports: [
      RegistryModule.forRoot({
        config,
        logger,
        instanceId,
        database,
        bus: { service: 'registry', instanceId, url: `memory:${instanceId}`, options: config.bus, logger },
      }),
    ],
  })
    .overrideProvider(Clock)
    .useValue(clock)
    .overrideProvider(EventPublisher)
    .useValue(publisher)
    .overrideProvider(LiveEvents)
    .useValue(live)
    .overrideProvider(NotificationOutlet)
    .useValue(outlet)
    .overrideProvider(LocationProbe)
    .useValue(probe)
    .overrideProvider(BusStatus)
    .useValue(bus)
    .compile();
  return {
    config,
    database,
    clock,
    publisher,
    live,
    outlet,
    bus,
    images: app.get(ImagesService),
    actions: app.get(ImageActions),
    members: app.get(MembersService),
    quotas: app.get(ProjectQuotas),
    scrubber: app.get(Scrubber),
    lists: app.get(ImageListService),
    data: app.get(ImageDataService),
    tags: app.get(TagsService),
    cache: app.get(CacheService),
    metadefs: {
      namespaces: app.get(MetadefNamespacesService),
      lists: app.get(MetadefNamespaceListService),
      resourceTypes: app.get(MetadefResourceTypesService),
      properties: app.get(MetadefPropertiesService),
      objects: app.get(MetadefObjectsService),
      tags: app.get(MetadefTagsService),
    },
    denied: app.get(DeniedAttempts),
    policy: app.get(PolicyEngine),
    jobs: app.get(JobsService),
    instances: app.get(InstancesRpc),
    reaper: app.get(Reaper),
    reconcile: app.get(ReconcileRpc),
    reconcileGauge: app.get(ReconcileGauge),
    reconcileSchedule: app.get(ReconcileSchedule),
    relay: app.get(OutboxRelay),
    notificationRelay: app.get(NotificationRelay),
    sentData: app.get(SentDataService),
    probe,
    locations: app.get(LocationsService),
    stores: app.get(StoresService),
    tasks: app.get(TasksService),
    taskRecords: app.get(TaskRecords),
    transfers: app.get(TransfersService),
    imports: app.get(ImportsService),
    conversions: app.get(ConversionsService),
    snapshots: app.get(SnapshotsService),
    snapshotCancellation: app.get(SnapshotCancellation),
    snapshotUpkeep: app.get(SnapshotUpkeep),
    staging: app.get(StagingService),
    webhooks: app.get(WebhooksService),
    webhookDeliveries: {
      all: app.get(DeliveriesService),
      claims: app.get(DeliveryClaims),
      outcomes: app.get(DeliveryOutcomes),
      upkeep: app.get(WebhookUpkeep),
      events: app.get(WebhookEvents),
    },
    verification: app.get(VerificationService),
    verificationQueue: app.get(VerificationQueue),
    insert: <T extends TableName>(table: T, ...rows: NewRow<T>[]) =>
      database.unitOfWork.run((tx) => tx.insert(table, rows)),
    rows: <T extends TableName>(table: T, where = '1 = 1') =>
      database.query<Tables[T]>(`SELECT * FROM ${table} WHERE ${where}`),
    close: async () => {
      await app.close();
      await database.close();
    },
  };
}
export type RegistryUnderTest = Awaited<ReturnType<typeof startRegistryOn>>;

export const aCaller = (projectId: string | null = 'p1', ...roles: string[]): Caller => ({
  requestId: 'req-1',
  userId: 'u1',
  projectId,
  domainId: null,
  systemScope: null,
  roles: roles.length > 0 ? roles : ['member', 'reader'],
  serviceRoles: [],
});
export const anAdmin = (projectId: string | null = 'admin') =>
  aCaller(projectId, 'admin', 'member', 'reader');

export const aNewImage = (more: NewImage = {}): NewImage => ({
  name: 'web',
  diskFormat: 'raw',
  containerFormat: 'bare',
  ...more,
});

export const aQuery = (more: Partial<ImageQuery> = {}): ImageQuery => anImageQuery({ limit: 100, ...more });

export const storedAt = (url: string, more: Partial<StoredData> = {}): StoredData => ({
  location: { url, metadata: {} },
  size: 3,
  virtualSize: null,
  checksum: 'c'.repeat(32),
  osHashAlgo: 'sha512',
  osHashValue: 'h'.repeat(128),
  ...more,
});

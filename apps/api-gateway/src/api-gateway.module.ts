import { type DynamicModule, Module } from '@nestjs/common';
import { BusModule } from '@glimpse/bus';
import { TransferPipeline } from '@glimpse/pipeline';
import { provideInstanceLease } from '@glimpse/runtime';
import { StoreRegistry } from '@glimpse/stores';
import { ActionsController } from './actions/actions.controller.js';
import { CacheAdminService } from './cache/cache-admin.service.js';
import { CacheManagementController } from './cache/cache-management.controller.js';
import { CacheController } from './cache/cache.controller.js';
import { CacheEvents } from './cache/cache.events.js';
import { CacheQueue } from './cache/cache-queue.js';
import { CacheTasks } from './cache/cache-tasks.js';
import { CacheUpkeep } from './cache/cache-upkeep.js';
import { ImageCaching } from './cache/image-caching.js';
import { DiscoveryController } from './discovery/discovery.controller.js';
import { GatewaySettings } from './gateway-settings.js';
import { HealthController } from './http/health.controller.js';
import { DownloadService } from './image-data/download.service.js';
import { ImageDataController } from './image-data/image-data.controller.js';
import { LocationReader } from './image-data/location-reader.js';
import { SentDataReports } from './image-data/sent-data-reports.js';
import { ReceivedBodies } from './image-data/received-bodies.js';
import { UploadService } from './image-data/upload.service.js';
import { ImagesController } from './images/images.controller.js';
import { SchemasController } from './images/schemas.controller.js';
import { DocsController } from './openapi/docs.controller.js';
import { AsyncApiController } from './openapi/asyncapi.controller.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { ImportMethods } from './imports/import-methods.js';
import type { Authenticator } from './auth/authenticator.js';
import { RemoteImageServices } from './imports/remote-image-services.js';
import { MembersController } from './members/members.controller.js';
import { metadefControllers } from './metadefs/metadef-controllers.js';
import { ProgressController } from './progress/progress.controller.js';
import { ProgressStreams } from './progress/progress-streams.js';
import { UploadProgress } from './progress/upload-progress.js';
import { ReadinessChecks } from './readiness-checks.js';
import { storeControllers } from './stores/store-controllers.js';
import { ComputeBus } from './snapshots/compute-bus.js';
import { SnapshotCallers } from './snapshots/snapshot-callers.js';
import { SnapshotEdge } from './snapshots/snapshot-edge.js';
import { SnapshotEnds } from './snapshots/snapshot-ends.events.js';
import { SnapshotReplies } from './snapshots/snapshot-replies.js';
import { SnapshotRequests } from './snapshots/snapshot-requests.js';
import { TagsController } from './tags/tags.controller.js';
import { UsageController } from './usage/usage.controller.js';
import { Suspicions } from './verification/suspicions.js';
import { VerificationController } from './verification/verification.controller.js';
import { WebhooksController } from './webhooks/webhooks.controller.js';

export const SERVICE = 'api-gateway';

const controllers = [
  DiscoveryController,
  HealthController,
  OpenApiController,
  AsyncApiController,
  DocsController,
  SchemasController,
  ImagesController,
  TagsController,
  MembersController,
  ActionsController,
  UsageController,
  VerificationController,
  ImageDataController,
  ...metadefControllers,
  ...storeControllers,
  ProgressController,
  WebhooksController,
  CacheController,
  SnapshotEnds,
];

function cacheControllers({ cache }: ImageCaching, hasManagementRoutes: boolean) {
  if (cache === undefined) return [];
  return hasManagementRoutes ? [CacheEvents, CacheManagementController] : [CacheEvents];
}

/** The HTTP API. It owns neither the stores, the cache nor the pipeline: bootstrap.ts opens and closes them. */
@Module({})
export class ApiGatewayModule {
  static forRoot(
    settings: GatewaySettings,
    stores: StoreRegistry,
    pipeline: TransferPipeline,
    caching: ImageCaching,
    authenticator: Authenticator,
  ): DynamicModule {
    const { config, instanceId, logger } = settings;
    return {
      module: ApiGatewayModule,
      imports: [
        BusModule.forRoot({ service: SERVICE, instanceId, url: config.busUrl, options: config.bus, logger }),
      ],
      controllers: [...controllers, ...cacheControllers(caching, config.cache.managementRoutes)],
      providers: [
        { provide: GatewaySettings, useValue: settings },
        { provide: StoreRegistry, useValue: stores },
        { provide: TransferPipeline, useValue: pipeline },
        { provide: RemoteImageServices, useValue: new RemoteImageServices(authenticator) },
        provideInstanceLease({
          instanceId,
          service: SERVICE,
          leaseMs: config.leases.instanceLeaseMs,
          logger,
        }),
        ReadinessChecks,
        ImportMethods,
        UploadProgress,
        ProgressStreams,
        UploadService,
        ReceivedBodies,
        SentDataReports,
        DownloadService,
        LocationReader,
        Suspicions,
        { provide: ImageCaching, useValue: caching },
        CacheQueue,
        CacheUpkeep,
        CacheAdminService,
        CacheTasks,
        { provide: SnapshotCallers, useValue: new SnapshotCallers(authenticator, config) },
        ComputeBus,
        SnapshotReplies,
        SnapshotRequests,
        SnapshotEdge,
      ],
    };
  }
}

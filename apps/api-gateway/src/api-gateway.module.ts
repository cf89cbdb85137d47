import { type DynamicModule, Module } from '@nestjs/common';
import { BusModule } from '@glimpse/bus';
import { TransferPipeline } from '@glimpse/pipeline';
import { provideInstanceLease } from '@glimpse/runtime';
import { StoreRegistry } from '@glimpse/stores';
import { DiscoveryController } from './discovery/discovery.controller.js';
import { GatewaySettings } from './gateway-settings.js';
import { HealthController } from './http/health.controller.js';
import { DownloadService } from './image-data/download.service.js';
import { ImageDataController } from './image-data/image-data.controller.js';
import { UploadService } from './image-data/upload.service.js';
import { ImagesController } from './images/images.controller.js';
import { SchemasController } from './images/schemas.controller.js';
import { ReadinessChecks } from './readiness-checks.js';
import { TagsController } from './tags/tags.controller.js';

export const SERVICE = 'api-gateway';

/** The HTTP API. It owns neither the stores nor the pipeline: bootstrap.ts opens and closes them. */
@Module({})
export class ApiGatewayModule {
  static forRoot(
    settings: GatewaySettings,
    stores: StoreRegistry,
    pipeline: TransferPipeline,
  ): DynamicModule {
    const { config, instanceId, logger } = settings;
    return {
      module: ApiGatewayModule,
      imports: [
        BusModule.forRoot({ service: SERVICE, instanceId, url: config.busUrl, options: config.bus, logger }),
      ],
      controllers: [
        DiscoveryController,
        HealthController,
        SchemasController,
        ImagesController,
        TagsController,
        ImageDataController,
      ],
      providers: [
        { provide: GatewaySettings, useValue: settings },
        { provide: StoreRegistry, useValue: stores },
        { provide: TransferPipeline, useValue: pipeline },
        provideInstanceLease({
          instanceId,
          service: SERVICE,
          leaseMs: config.leases.instanceLeaseMs,
          logger,
        }),
        ReadinessChecks,
        UploadService,
        DownloadService,
      ],
    };
  }
}

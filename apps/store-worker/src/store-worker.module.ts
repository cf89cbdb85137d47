import { BusModule, RpcClient } from '@glimpse/bus';
import type { Config } from '@glimpse/config';
import type { Logger } from '@glimpse/observability';
import type { TransferPipeline } from '@glimpse/pipeline';
import { provideInstanceLease } from '@glimpse/runtime';
import { StoreRegistry } from '@glimpse/stores';
import { type DynamicModule, Module } from '@nestjs/common';
import type { ImportSteps } from './conversion/import-steps.js';
import { DeleteDataJob } from './jobs/delete-data.job.js';
import { HashLocationJob } from './jobs/hash-location.job.js';
import { AllowedAddresses } from './jobs/import/allowed-addresses.js';
import { GlanceSource } from './jobs/import/glance-source.js';
import { ImportJob } from './jobs/import/import.job.js';
import { ImportSources } from './jobs/import/import-sources.js';
import type { SnapshotParents } from './jobs/import/snapshot-parent.js';
import { SnapshotSource } from './jobs/import/snapshot-source.js';
import { WebRequests } from './jobs/import/web-request.js';
import { WebSource } from './jobs/import/web-source.js';
import { ProbeLocationJob } from './jobs/probe-location.job.js';
import { CopyReader } from './jobs/verify/copy-reader.js';
import { provideWebhookRunner } from './jobs/webhook/provide-webhook-runner.js';
import { RepairJob } from './jobs/verify/repair.job.js';
import { VerifyJob } from './jobs/verify/verify.job.js';
import { ReconcileJob } from './jobs/reconcile/reconcile.job.js';
import { LocationsRpc } from './locations/locations.rpc.js';
import { JobEvents } from './runner/job.events.js';
import { JobHandlers } from './runner/job-handlers.js';
import { JobRunner } from './runner/job.runner.js';

export const SERVICE = 'store-worker';

export interface StoreWorkerOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly instanceId: string;
  /** Opened and closed by bootstrap.ts. */
  readonly stores: StoreRegistry;
  /** As `stores`. */
  readonly pipeline: TransferPipeline;
  /** As `stores`. */
  readonly importSteps: ImportSteps;
  /** As `stores`. */
  readonly snapshotParents: SnapshotParents;
}

/** What users reach in the catalogue is the operator's: it may lie in its networks. It leads nowhere else. */
function glanceSourceOf({ import: { webDownload, glanceDownload } }: Config): GlanceSource {
  const options = { ...webDownload, maxRedirects: 0 };
  const requests = new WebRequests(options, new AllowedAddresses(['0.0.0.0/0', '::/0']));
  return new GlanceSource(requests, new WebSource(requests, options), glanceDownload.extraProperties);
}

/** Background work on image data. */
@Module({})
export class StoreWorkerModule {
  static forRoot({
    config,
    logger,
    instanceId,
    stores,
    pipeline,
    importSteps,
    snapshotParents,
  }: StoreWorkerOptions): DynamicModule {
    const { busUrl: url, bus: options, leases, jobs, storeWorker } = config;
    const { webDownload } = config.import;
    const requests = new WebRequests(webDownload, new AllowedAddresses(webDownload.allowedAddresses));
    const web = new WebSource(requests, webDownload);
    const glance = glanceSourceOf(config);
    const snapshots = new SnapshotSource(config.snapshots, snapshotParents, logger);
    const sources = new ImportSources(stores, web, glance, snapshots);
    const copies = new CopyReader(pipeline);
    const handlersFor = (rpc: RpcClient) =>
      new JobHandlers([
        new DeleteDataJob(stores, logger),
        new ProbeLocationJob(stores),
        new HashLocationJob(stores, pipeline, config),
        new ImportJob(stores, sources, importSteps, pipeline, config, logger),
        new VerifyJob(stores, copies, logger),
        new RepairJob(stores, copies, pipeline, logger),
        new ReconcileJob(rpc, stores, logger),
      ]);
    return {
      module: StoreWorkerModule,
      imports: [BusModule.forRoot({ service: SERVICE, instanceId, url, options, logger })],
      controllers: [JobEvents, LocationsRpc],
      providers: [
        { provide: StoreRegistry, useValue: stores },
        provideInstanceLease({ instanceId, service: SERVICE, leaseMs: leases.instanceLeaseMs, logger }),
        provideWebhookRunner(config, instanceId, logger),
        { provide: JobHandlers, inject: [RpcClient], useFactory: handlersFor },
        {
          provide: JobRunner,
          inject: [RpcClient, JobHandlers],
          useFactory: (rpc: RpcClient, handlers: JobHandlers) =>
            new JobRunner(
              rpc,
              handlers,
              { instanceId, concurrency: storeWorker.concurrency, pollMs: jobs.pollMs },
              logger,
            ),
        },
      ],
    };
  }
}

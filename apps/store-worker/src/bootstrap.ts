import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { type BusStrategy, RpcClient, createBusStrategy } from '@glimpse/bus';
import type { Config } from '@glimpse/config';
import { ServiceError, registryInstances } from '@glimpse/contracts';
import { NestLogger, collectProcessMetrics, createLogger } from '@glimpse/observability';
import { TransferPipeline } from '@glimpse/pipeline';
import {
  type HealthChecks,
  InstanceLease,
  type RunningService,
  once,
  runAllInOrder,
  startHealthServer,
} from '@glimpse/runtime';
import { type StoreRegistry, createStores } from '@glimpse/stores';
import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { startImportSteps } from './conversion/start-import-steps.js';
import { SnapshotParents } from './jobs/import/snapshot-parent.js';
import { WebhookRunner } from './jobs/webhook/webhook.runner.js';
import { JobRunner } from './runner/job.runner.js';
import { SERVICE, StoreWorkerModule } from './store-worker.module.js';

function readinessOf(strategy: BusStrategy, rpc: RpcClient, stores: StoreRegistry): HealthChecks {
  const checkStore = (id: string) => () => stores.get(id).checkHealth({});
  return {
    bus: async () => {
      if (!strategy.isConnected())
        throw new ServiceError('BUS_UNAVAILABLE', 'The message broker cannot be reached');
    },
    registry: () => rpc.call(registryInstances.ping, {}),
    ...Object.fromEntries(stores.ids.map((id) => [`store ${id}`, checkStore(id)])),
  };
}

/**
 * Starts the store-worker: it claims jobs from the registry and runs them; `url` is that of its health and metrics.
 * Rejects where a store's options can't be used.
 */
export async function startStoreWorker(config: Config): Promise<RunningService> {
  const instanceId = `${SERVICE}-${randomUUID()}`;
  const logger = createLogger(SERVICE, { level: config.log.level, instanceId });
  collectProcessMetrics();
  const stores = createStores(config, logger);
  const pipeline = new TransferPipeline();
  const opened: ((graceMs: number) => unknown)[] = [() => stores.close(), () => pipeline.close()];
  const close = once((graceMs: number) =>
    runAllInOrder(opened.toReversed().map((step) => () => step(graceMs))),
  );
  try {
    const { busUrl: url, bus: options } = config;
    const { stop, importSteps, scratch, converter } = await startImportSteps(config, logger);
    opened.push(stop);
    const snapshotParents = new SnapshotParents(stores, scratch, converter);
    const strategy = createBusStrategy({ service: SERVICE, instanceId, url, options, logger });
    const app: INestMicroservice = await NestFactory.createMicroservice(
      StoreWorkerModule.forRoot({
        config,
        logger,
        instanceId,
        stores,
        pipeline,
        importSteps,
        snapshotParents,
      }),
      { strategy, abortOnError: false, bufferLogs: true, logger: new NestLogger(logger) },
    );
    opened.push(() => app.close());
    const rpc = app.get(RpcClient);
    const lease = app.get(InstanceLease);
    const runners = [app.get(JobRunner), app.get(WebhookRunner)];
    opened.push(() => lease.release());
    await lease.start();
    await app.listen();
    opened.push((graceMs) => strategy.close(graceMs));
    const { host, port } = config.storeWorker;
    const health = await startHealthServer({ host, port, checks: readinessOf(strategy, rpc, stores) });
    opened.push((graceMs) => health.close(graceMs));
    for (const runner of runners) runner.start();
    opened.push((graceMs) => Promise.all(runners.map((runner) => runner.stop(graceMs))));
    return { url: health.url, close };
  } catch (error) {
    await close(0);
    throw error;
  }
}

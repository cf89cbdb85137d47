import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type BusStrategy, createBusStrategy } from '@glimpse/bus';
import type { Config } from '@glimpse/config';
import { ServiceError } from '@glimpse/contracts';
import { NestLogger, collectProcessMetrics, createLogger } from '@glimpse/observability';
import { TransferPipeline } from '@glimpse/pipeline';
import { InstanceLease, type RunningService, isDoneWithin, once, runAllInOrder } from '@glimpse/runtime';
import { createStores } from '@glimpse/stores';
import { ApiGatewayModule, SERVICE } from './api-gateway.module.js';
import { CacheTasks } from './cache/cache-tasks.js';
import { ImageCaching } from './cache/image-caching.js';
import { createAuthenticator } from './auth/create-authenticator.js';
import { checkReachOfNoAuth } from './auth/none.authenticator.js';
import { GatewaySettings } from './gateway-settings.js';
import { drainServer } from './http/drain-server.js';
import { ErrorFilter } from './http/error.filter.js';
import type { GlimpseAdapter } from './http/glimpse.adapter.js';
import { createHttpAdapter } from './http/http-server.js';
import { RateLimits } from './http/rate-limits.js';
import { UnusedConnections } from './http/unused-connections.js';
import { SentDataReports } from './image-data/sent-data-reports.js';
import { UploadService } from './image-data/upload.service.js';
import { ProgressStreams } from './progress/progress-streams.js';
import { ReadinessChecks } from './readiness-checks.js';
import { SnapshotEdge } from './snapshots/snapshot-edge.js';

/** For removing what is left of an upload and putting its image back to queued. */
const CLEAN_UP_MS = 2_000;

/** Takes requests only when all is there that they need. */
async function listen(
  app: NestFastifyApplication,
  adapter: GlimpseAdapter,
  { port, host }: Config,
  events: BusStrategy,
): Promise<void> {
  app.connectMicroservice({ strategy: events });
  await app.startAllMicroservices();
  await app.init();
  adapter.refuseOtherMethods();
  await app.get(InstanceLease).start();
  await app.get(CacheTasks).start();
  app.get(SnapshotEdge).start();
  await app.listen(port, host);
}

/** Starts the HTTP API. Rejects when it can't listen, or must not (auth `none` on an address others reach). */
export async function startApiGateway(config: Config): Promise<RunningService> {
  checkReachOfNoAuth(config);
  const instanceId = `${SERVICE}-${randomUUID()}`;
  const logger = createLogger(SERVICE, { level: config.log.level, instanceId });
  collectProcessMetrics();
  const stores = createStores(config, logger);
  const caching = await ImageCaching.open(config, stores, logger);
  const pipeline = new TransferPipeline();
  const closeData = () => runAllInOrder([() => pipeline.close(), () => stores.close()]);
  const transfersEnd = new AbortController();
  let isStopping = false;

  const authenticator = createAuthenticator(config, logger);
  const adapter = createHttpAdapter(config, logger, {
    authenticator,
    allowAnonymousAccess: config.allowAnonymousAccess,
    rateLimits: new RateLimits(config.rateLimits),
    maxRequestIdLength: config.http.maxRequestIdLength,
    publicEndpoint: config.publicEndpoint,
    isStopping: () => isStopping,
  });
  const settings = new GatewaySettings(config, instanceId, logger, transfersEnd.signal);
  const app = await NestFactory.create<NestFastifyApplication>(
    ApiGatewayModule.forRoot(settings, stores, pipeline, caching, authenticator),
    adapter,
    { bodyParser: false, abortOnError: false, bufferLogs: true, logger: new NestLogger(logger) },
  );
  const unused = new UnusedConnections(app.getHttpServer());
  const { busUrl: url, bus: options } = config;
  const events = createBusStrategy({ service: SERVICE, instanceId, url, options, logger });
  const close = once(async (graceMs: number) => {
    isStopping = true;
    app.get(ReadinessChecks).stop();
    app.get(ProgressStreams).close();
    const requestsEnd = app.get(SnapshotEdge).stop(graceMs);
    await runAllInOrder([
      () =>
        drainServer(app.getHttpServer(), unused, graceMs, () =>
          transfersEnd.abort(new ServiceError('SERVICE_STOPPING', 'The service is stopping.')),
        ),
      // An upload whose client is gone has no connection that would be waited for.
      () => isDoneWithin(app.get(UploadService).settled(), CLEAN_UP_MS),
      () => isDoneWithin(app.get(SentDataReports).stop(), CLEAN_UP_MS),
      () => app.get(CacheTasks).stop(),
      () => requestsEnd,
      () => events.close(CLEAN_UP_MS),
      () => app.get(SnapshotEdge).close(),
      () => app.get(InstanceLease).release(),
      () => app.close(),
      closeData,
      async () => authenticator.close?.(),
    ]);
  });
  try {
    app.useGlobalFilters(new ErrorFilter(logger));
    await listen(app, adapter, config, events);
    return { url: await app.getUrl(), close };
  } catch (error) {
    await close(0);
    throw error;
  }
}

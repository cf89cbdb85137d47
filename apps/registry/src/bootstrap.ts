import { randomUUID } from 'node:crypto';
import { createBusStrategy } from '@glimpse/bus';
import type { Config } from '@glimpse/config';
import { type Logger, NestLogger, collectProcessMetrics, createLogger } from '@glimpse/observability';
import { Database } from '@glimpse/persistence';
import { type RunningService, once, runAllInOrder, startHealthServer } from '@glimpse/runtime';
import { NestFactory } from '@nestjs/core';
import { AuditRefusals } from './audit/audit-refusals.js';
import { DeniedAttempts } from './audit/denied-attempts.js';
import { JobsGauge } from './jobs/jobs.gauge.js';
import { Scrubber } from './images/scrubber.js';
import { Reaper } from './leases/reaper.js';
import { NotificationRelay } from './notifications/notification.relay.js';
import { OutboxRelay } from './outbox/outbox.relay.js';
import { PolicySource } from './policy/policy-source.js';
import { ReconcileGauge } from './reconcile/reconcile.gauge.js';
import { ReconcileSchedule } from './reconcile/reconcile-schedule.js';
import { reload } from './reload.js';
import { PropertyProtection } from './property-protection/property-protection.js';
import { RegistryModule } from './registry.module.js';
import { SnapshotUpkeep } from './snapshots/snapshot-upkeep.js';
import { DamageGauge } from './verification/damage.gauge.js';
import { VerificationQueue } from './verification/verification-queue.js';
import { WebhookEvents } from './webhooks/webhook-events.js';
import { WebhookUpkeep } from './webhooks/webhook-upkeep.js';

const SERVICE = 'registry';

async function openDatabase(config: Config, logger: Logger): Promise<Database> {
  const database = await Database.open({ url: config.databaseUrl, ...config.database });
  try {
    const migrations = await database.migrate();
    if (migrations.length > 0) logger.info({ migrations }, 'migrated the database');
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

interface Running {
  readonly config: Config;
  readonly logger: Logger;
  readonly instanceId: string;
  readonly database: Database;
}

async function start(running: Running): Promise<RunningService> {
  const { config, logger, instanceId, database } = running;
  const bus = { service: SERVICE, instanceId, url: config.busUrl, options: config.bus, logger };
  const strategy = createBusStrategy(bus);
  const app = await NestFactory.createMicroservice(RegistryModule.forRoot({ ...running, bus }), {
    strategy,
    abortOnError: false,
    bufferLogs: true,
    logger: new NestLogger(logger),
  });
  strategy.watchCalls(app.get(AuditRefusals));
  const relays = [app.get(OutboxRelay), app.get(NotificationRelay)];
  const repeated = [
    app.get(Reaper),
    app.get(Scrubber),
    app.get(JobsGauge),
    app.get(VerificationQueue),
    app.get(DamageGauge),
    app.get(ReconcileSchedule),
    app.get(ReconcileGauge),
    app.get(SnapshotUpkeep),
    app.get(WebhookEvents),
    app.get(WebhookUpkeep),
  ];
  const closeAll = (graceMs: number) =>
    runAllInOrder([
      () => Promise.all(repeated.map((part) => part.stop())),
      // Calls finish, and what they announced is published, while bus and database are still there.
      () => strategy.close(graceMs),
      () => app.get(DeniedAttempts).flush(),
      () => Promise.all(relays.map((relay) => relay.stop())),
      () => app.close(),
      () => database.close(),
    ]);
  try {
    const health = await startHealthServer({
      ...config.registry,
      checks: {
        database: () => database.query('SELECT 1 AS one'),
        bus: () =>
          strategy.isConnected()
            ? Promise.resolve()
            : Promise.reject(new Error('not connected to the message broker')),
      },
    });
    await app.listen();
    for (const relay of relays) relay.start();
    for (const part of repeated) part.start();
    return {
      url: health.url,
      reload: () => reload([app.get(PolicySource), app.get(PropertyProtection)], logger),
      close: once((graceMs) => runAllInOrder([() => closeAll(graceMs), () => health.close(0)])),
    };
  } catch (error) {
    await closeAll(0);
    throw error;
  }
}

/**
 * Starts the registry: brings the database up to date, answers calls on the bus, publishes the outbox and looks after
 * leases; `url` is that of its health and metrics. Rejects where the database can't be reached or has a newer schema.
 */
export async function startRegistry(config: Config): Promise<RunningService> {
  const instanceId = `${SERVICE}-${randomUUID()}`;
  const logger = createLogger(SERVICE, { level: config.log.level, instanceId });
  collectProcessMetrics();
  const database = await openDatabase(config, logger);
  return start({ config, logger, instanceId, database });
}

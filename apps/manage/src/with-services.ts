import { randomUUID } from 'node:crypto';
import { type BusOptions, type OpenBus, openBus } from '@glimpse/bus';
import { loadConfig } from '@glimpse/config';
import { createLogger } from '@glimpse/observability';
import { Database } from '@glimpse/persistence';
import { OperatorError } from './operator-error.js';

/** Lends the configured database to `work` and closes it. */
export async function withDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const config = loadConfig();
  const database = await Database.open({ url: config.databaseUrl, ...config.database });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** As `withDatabase`, for commands that need the tables. */
export function withCurrentDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
  return withDatabase(async (database) => {
    if ((await database.pendingMigrations()).length > 0)
      throw new OperatorError("the database's schema is not up to date: run `migrate` first");
    return work(database);
  });
}

/** How to reach the configured broker; throws where the bus is in the process of the services. */
export function brokerOptions(): BusOptions {
  const config = loadConfig();
  if (config.busUrl.startsWith('memory:'))
    throw new OperatorError('an in-process bus lives in the process of its services: set GLIMPSE_BUS_URL');
  return {
    service: 'manage',
    instanceId: `manage-${randomUUID()}`,
    url: config.busUrl,
    options: config.bus,
    logger: createLogger('manage', { level: 'silent' }),
  };
}

/** Lends the configured bus to `work` and closes it. */
export async function withBus<T>(work: (bus: OpenBus) => Promise<T>): Promise<T> {
  const bus = openBus(brokerOptions());
  try {
    return await work(bus);
  } finally {
    await bus.close();
  }
}

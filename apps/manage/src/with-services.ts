import { randomUUID } from 'node:crypto';
import { type BusOptions, type OpenBus, openBus } from '@glimpse/bus';
import { loadConfig, snapshotBus } from '@glimpse/config';
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

const brokerAt = (url: string, options: BusOptions['options']): BusOptions => ({
  service: 'manage',
  instanceId: `manage-${randomUUID()}`,
  url,
  options,
  logger: createLogger('manage', { level: 'silent' }),
});

const isAmqp = (url: string) => !url.startsWith('memory:');

/** The brokers that can be reached: that of the services, and that of compute where it is another one. */
export interface Brokers {
  readonly services: BusOptions | undefined;
  readonly compute: BusOptions | undefined;
}

/** Throws where there is none, since the bus is in the process of the services. */
export function findBrokers(): Brokers {
  const config = loadConfig();
  const { busUrl, bus } = config;
  const services = isAmqp(busUrl) ? brokerAt(busUrl, bus) : undefined;
  const ofCompute = snapshotBus(config);
  const compute =
    ofCompute === undefined || ofCompute.url === busUrl
      ? undefined
      : brokerAt(ofCompute.url, ofCompute.options);
  if (services === undefined && compute === undefined)
    throw new OperatorError('an in-process bus lives in the process of its services: set GLIMPSE_BUS_URL');
  return { services, compute };
}

/** Lends each of the brokers in turn to `work`, and closes it. */
export async function withEachBus<T>(work: (bus: OpenBus) => Promise<T>): Promise<T[]> {
  const { services, compute } = findBrokers();
  const results: T[] = [];
  for (const options of [services, compute]) {
    if (options === undefined) continue;
    const bus = openBus(options);
    try {
      results.push(await work(bus));
    } finally {
      await bus.close();
    }
  }
  return results;
}

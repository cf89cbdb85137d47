import { createConnection } from 'mysql2/promise';
import { getTestServers, removeAbandonedPlaces } from '@glimpse/testing';
import { busUrl, databaseUrl, managementUrl, secureBusUrl } from '../services/account.js';
import { canRunKeystone, findKeystone, startKeystone, stopKeystone } from '../services/keystone.js';
import { tlsDir } from '../services/certificates.js';
import { isOpen } from '../services/ports.js';
import { canRunS3, findS3, startS3, stopS3 } from '../services/s3.js';
import { findRunning, startServices, stopServices } from '../services/services.js';

const BUS = 'GLIMPSE_TEST_BUS_URL';
const MANAGEMENT = 'GLIMPSE_TEST_BUS_MANAGEMENT_URL';
const DATABASE = 'GLIMPSE_TEST_DATABASE_URL';
/** TLS listeners of both servers, and the certificates to reach them with. */
const BUS_TLS = 'GLIMPSE_TEST_BUS_TLS_URL';
const TLS_DIR = 'GLIMPSE_TEST_TLS_DIR';
const KEYSTONE = 'GLIMPSE_TEST_KEYSTONE_URL';
const S3 = 'GLIMPSE_TEST_S3_URL';

type Variables = Readonly<Record<string, string>>;

/** The servers for a test run, as environment variables, and how to end those that were started for it. */
export interface ServersForTests {
  readonly env: Variables;
  end(): Promise<void>;
}

/** Of URLs that name no port. */
const defaultPorts: Readonly<Record<string, number>> = {
  'amqp:': 5672,
  'http:': 80,
  'https:': 443,
  'mysql:': 3306,
};

async function named(
  name: string,
  what: string,
  more: readonly string[] = [],
): Promise<Variables | undefined> {
  const url = process.env[name];
  if (url === undefined || url === '') return undefined;
  const { hostname, port: written, protocol } = new URL(url);
  const port = written === '' ? (defaultPorts[protocol] ?? 0) : Number(written);
  if (!(await isOpen(port, hostname)))
    throw new Error(`${what} does not answer at ${hostname}:${port}: start it, or unset ${name}`);
  const others = more.map((key) => [key, process.env[key]]).filter(([, value]) => value !== undefined);
  return { [name]: url, ...(Object.fromEntries(others) as Variables) };
}

/** RabbitMQ on its own ports with the account that it is delivered with. */
async function defaultBus(): Promise<Variables | undefined> {
  if (!(await isOpen(5672)) || !(await isOpen(15_672))) return undefined;
  const headers = { authorization: `Basic ${btoa('guest:guest')}` };
  try {
    const { ok } = await fetch('http://127.0.0.1:15672/api/whoami', { headers });
    if (!ok) return undefined;
  } catch {
    // Something else listens there.
    return undefined;
  }
  return { [BUS]: 'amqp://guest:guest@127.0.0.1:5672', [MANAGEMENT]: 'http://guest:guest@127.0.0.1:15672' };
}

/** MySQL on its own port where root needs no password. */
async function defaultDatabase(): Promise<Variables | undefined> {
  if (!(await isOpen(3306))) return undefined;
  try {
    const connection = await createConnection({ host: '127.0.0.1', user: 'root' });
    await connection.end();
    return { [DATABASE]: 'mysql://root@127.0.0.1:3306/mysql' };
  } catch {
    return undefined;
  }
}

const noServers: ServersForTests = { env: {}, end: () => Promise.resolve() };

/**
 * A Keystone: the one that the environment names, else a private one, which `end` stops again when it was not running
 * before. Where there can be none the run goes on without, and the tests that need it say what to start.
 */
export async function findIdentityServer(): Promise<ServersForTests> {
  const keystone = await named(KEYSTONE, 'Keystone');
  if (keystone !== undefined) return { ...noServers, env: keystone };
  if (!canRunKeystone()) return noServers;
  const wasRunning = findKeystone() !== undefined;
  return {
    env: { [KEYSTONE]: await startKeystone() },
    end: async () => {
      if (!wasRunning) await stopKeystone();
    },
  };
}

/** A server that speaks S3, found as Keystone is by {@link findIdentityServer}. */
export async function findS3Server(): Promise<ServersForTests> {
  const s3 = await named(S3, 'The S3 server');
  if (s3 !== undefined) return { ...noServers, env: s3 };
  if (!canRunS3()) return noServers;
  const wasRunning = findS3() !== undefined;
  return {
    env: { [S3]: await startS3() },
    end: async () => {
      if (!wasRunning) await stopS3();
    },
  };
}

/** Test runs that were broken off left virtual hosts and databases in servers that live on. */
async function withoutAbandonedPlaces(servers: ServersForTests): Promise<ServersForTests> {
  const count = await removeAbandonedPlaces(getTestServers(servers.env));
  if (count > 0)
    console.error(`Removed ${count} virtual hosts, users and databases of tests that were broken off.`);
  return servers;
}

/**
 * RabbitMQ and MySQL: those that the environment names, else those on their default ports, else private ones, which
 * `end` stops again when they were not running before. Throws, saying what to start, where there are none.
 */
export async function findServers(): Promise<ServersForTests> {
  const bus = (await named(BUS, 'RabbitMQ', [MANAGEMENT, BUS_TLS, TLS_DIR])) ?? (await defaultBus());
  const database = (await named(DATABASE, 'MySQL')) ?? (await defaultDatabase());
  if (bus !== undefined && database !== undefined)
    return withoutAbandonedPlaces({ ...noServers, env: { ...bus, ...database } });
  const wereRunning = findRunning() !== undefined;
  const { ports } = await startServices();
  const started = {
    [BUS]: busUrl(ports),
    [MANAGEMENT]: managementUrl(ports),
    [BUS_TLS]: secureBusUrl(ports),
    [TLS_DIR]: tlsDir,
    [DATABASE]: databaseUrl(ports),
  };
  return withoutAbandonedPlaces({
    env: { ...started, ...bus, ...database },
    end: async () => {
      if (!wereRunning) await stopServices();
    },
  });
}

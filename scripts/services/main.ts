/** `npm run services [-- start | keystone | s3 [--server=swift|versitygw] | stop | env | status]`: what development and tests need beside Glimpse. */
import { parseArgs } from 'node:util';
import { busUrl, databaseUrl, managementUrl, secureBusUrl } from './account.js';
import { tlsDir } from './certificates.js';
import { variablesOf } from './keystone-cloud.js';
import { findKeystone, startKeystone, stopKeystone } from './keystone.js';
import { findS3, startS3, stopS3 } from './s3.js';
import { findRunning, startServices, stopServices } from './services.js';
import type { State } from './state.js';

const HOW_TO_USE =
  'Use them in this shell: eval "$(npm run -s services -- env)"    End them: npm run services -- stop';

const NOTHING_RUNS =
  'Nothing is running; start RabbitMQ and MySQL with: npm run services, Keystone with: npm run services -- keystone, an S3 server with: npm run services -- s3';

function variablesOfServers({ ports }: State): Record<string, string> {
  return {
    GLIMPSE_DATABASE_URL: databaseUrl(ports),
    GLIMPSE_BUS_URL: busUrl(ports),
    // For tests that are run by hand, without `npm test`.
    GLIMPSE_TEST_DATABASE_URL: databaseUrl(ports),
    GLIMPSE_TEST_BUS_URL: busUrl(ports),
    GLIMPSE_TEST_BUS_MANAGEMENT_URL: managementUrl(ports),
    GLIMPSE_TEST_BUS_TLS_URL: secureBusUrl(ports),
    GLIMPSE_TEST_TLS_DIR: tlsDir,
  };
}

const describeKeystone = (url: string) => `Keystone: ${url} (admin; other users have the same password)`;

const describeS3 = (url: string) => `S3:       ${url} (with the keys)`;

interface Descriptions<T> {
  readonly servers: (state: State) => T;
  readonly keystone: (url: string) => T;
  readonly s3: (url: string) => T;
}

/** One of each that runs; throws when none does. */
function ofRunning<T>(describe: Descriptions<T>): T[] {
  const found = <V>(value: V | undefined, of: (value: V) => T) => (value === undefined ? [] : [of(value)]);
  const all = [
    ...found(findRunning(), describe.servers),
    ...found(findKeystone(), describe.keystone),
    ...found(findS3(), describe.s3),
  ];
  if (all.length === 0) throw new Error(NOTHING_RUNS);
  return all;
}

const commands: Record<string, () => Promise<string[]>> = {
  start: async () => {
    const { ports } = await startServices();
    return [
      `RabbitMQ: ${busUrl(ports)} (management: ${managementUrl(ports)})`,
      `MySQL:    ${databaseUrl(ports)}`,
      HOW_TO_USE,
    ];
  },
  keystone: async () => [describeKeystone(await startKeystone()), HOW_TO_USE],
  s3: async () => [describeS3(await startS3(serverOption())), HOW_TO_USE],
  stop: async () => {
    const wereRunning = [await stopS3(), await stopKeystone(), await stopServices()];
    return [wereRunning.includes(true) ? 'All services are stopped.' : 'Nothing was running.'];
  },
  env: async () =>
    ofRunning<Record<string, string>>({
      servers: variablesOfServers,
      keystone: variablesOf,
      s3: (url) => ({ GLIMPSE_TEST_S3_URL: url }),
    })
      .flatMap((variables) => Object.entries(variables))
      .map(([name, value]) => `export ${name}='${value}'`),
  status: async () =>
    ofRunning({
      servers: ({ kind, ports }) => `running (${kind}): ${busUrl(ports)} ${databaseUrl(ports)}`,
      keystone: (url) => `running: ${describeKeystone(url)}`,
      s3: (url) => `running: ${describeS3(url)}`,
    }),
};

const name = process.argv[2] ?? 'start';

/** Which of several servers is wanted, if it was said: `--server=versitygw`. */
const serverOption = () =>
  parseArgs({ args: process.argv.slice(3), options: { server: { type: 'string' } } }).values.server;

try {
  const command = commands[name];
  if (command === undefined)
    throw new Error(`no such command: ${name} (${Object.keys(commands).join(', ')})`);
  console.log((await command()).join('\n'));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

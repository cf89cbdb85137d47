/**
 * `npm run bench [-- --mode=embedded | --url=URL] [-- --quick] [-- metadata | auth | bytes | cache | import]`: figures, beside raw limits.
 * `npm run bench -- list`: pages of a million images.
 * `npm run bench -- snapshots [--count N] [--size MiB]`: requests of compute at once, and whether what is promised of them is kept.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { findServers } from '../test/servers.js';
import { benchAuth } from './auth-bench.js';
import { measureRawRoundTrips } from './bus-roundtrip.js';
import { benchBytes } from './bytes-bench.js';
import { benchImport } from './import-bench.js';
import { benchList } from './list-bench.js';
import { benchCache } from './cache-bench.js';
import { benchMetadata } from './metadata-bench.js';
import { provideMillionImages } from './million-images.js';
import { printTable } from './report.js';
import { runningTarget, startTarget } from './service.js';
import { benchSnapshots } from './snapshot-bench.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mode: { type: 'string', default: 'distributed' },
    url: { type: 'string' },
    quick: { type: 'boolean', default: false },
    count: { type: 'string' },
    size: { type: 'string' },
  },
});
const mode = values.mode === 'embedded' ? 'embedded' : 'distributed';
const wants = (what: string) => positionals.length === 0 || positionals.includes(what);
const needsServers = mode === 'distributed' && values.url === undefined;

const servers = needsServers ? await findServers() : { env: {}, end: () => Promise.resolve() };
Object.assign(process.env, servers.env);
const busUrl = process.env['GLIMPSE_TEST_BUS_URL'];
const what = values.url ?? mode;
console.log(`Glimpse (${what}) on ${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`);

async function metadata(): Promise<void> {
  const target = values.url === undefined ? await startTarget(mode) : runningTarget(values.url);
  try {
    const rows = await benchMetadata(target, {
      seconds: values.quick ? 1 : 4,
      rounds: values.quick ? 1 : 3,
      images: values.quick ? 2_000 : 20_000,
      measureRaw: busUrl === undefined ? undefined : () => measureRawRoundTrips(busUrl),
    });
    printTable('Metadata', rows);
    console.log(`  peak memory: ${target.describeMemory()}`);
  } finally {
    await target.stop();
  }
}

async function auth(): Promise<void> {
  if (values.url !== undefined) return;
  const rows = await benchAuth(mode, { seconds: values.quick ? 1 : 4, rounds: values.quick ? 1 : 3 });
  printTable('Who is calling', rows);
}

async function bytes(): Promise<void> {
  const both = values.url === undefined ? await startTarget(mode) : runningTarget(values.url);
  const sha256 =
    values.url === undefined
      ? await startTarget(mode, {
          GLIMPSE_IMAGES_HASHING_ALGORITHM: 'sha256',
          GLIMPSE_IMAGES_MD5_CHECKSUM: 'false',
        })
      : undefined;
  try {
    const rows = await benchBytes(
      { both, sha256 },
      { mebibytes: values.quick ? 256 : 1024, rounds: values.quick ? 1 : 3 },
    );
    printTable('Bytes', rows);
    console.log(`  peak memory: ${both.describeMemory()}`);
  } finally {
    await both.stop();
    await sha256?.stop();
  }
}

/** Always on MySQL: what is measured is its plans. */
async function list(): Promise<void> {
  const databaseUrl = await provideMillionImages(process.env['GLIMPSE_TEST_DATABASE_URL'] ?? '');
  // The images have no data that could be looked at.
  const env = { GLIMPSE_DATABASE_URL: databaseUrl, GLIMPSE_VERIFICATION_INTERVAL_DAYS: '0' };
  const target = await startTarget(mode, env, 'headers');
  try {
    const rows = await benchList(target.url, databaseUrl, values.quick ? 3 : 9);
    printTable('Pages of 100 among a million images, one request at a time', rows);
  } finally {
    await target.stop();
  }
}

function wholeNumber(name: 'count' | 'size', usual: number): number {
  const number = Number(values[name] ?? usual);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} is a whole number above 0`);
  return number;
}

/** Always distributed: it is about several workers. The exit code says whether every promise was kept. */
async function snapshots(): Promise<void> {
  const count = wholeNumber('count', values.quick ? 100 : 1_000);
  const mebibytes = wholeNumber('size', values.quick ? 8 : 64);
  for (const workers of [1, 2]) {
    const { rows, broken } = await benchSnapshots({ count, mebibytes, workers, duplicates: 10 * count });
    printTable(
      `${count} snapshots of ${mebibytes} MiB at once, ${workers} store-worker${workers === 1 ? '' : 's'}`,
      rows,
    );
    console.log(
      broken.length === 0 ? '  every promise was kept' : `  ${broken.length} promises were broken:`,
    );
    for (const promise of broken.slice(0, 50)) console.log(`    ${promise}`);
    if (broken.length > 0) process.exitCode = 1;
  }
}

try {
  if (positionals.includes('list')) await list();
  if (positionals.includes('snapshots')) await snapshots();
  if (wants('metadata')) await metadata();
  if (wants('auth')) await auth();
  if (wants('bytes')) await bytes();
  if (wants('cache') && values.url === undefined)
    printTable(
      'Image cache',
      await benchCache({ mode, mebibytes: values.quick ? 128 : 512, rounds: values.quick ? 1 : 3 }),
    );
  if (wants('import') && values.url === undefined)
    printTable(
      'Imports',
      await benchImport(mode, { mebibytes: values.quick ? 128 : 1024, rounds: values.quick ? 1 : 3 }),
    );
} finally {
  await servers.end();
}

import { sortKeys } from '@glimpse/contracts';
import { type Connection, createConnection } from 'mysql2/promise';
import { tenant } from './million-images.js';
import { type Row, median, round } from './report.js';

const AIM_MS = 25;
const PAGE = 100;

/** What the images of a page have in common. */
const filters: Readonly<Record<string, string>> = {
  'no filter': '',
  'status=active': 'status=active',
  'status=queued': 'status=queued',
  'name=debian-77': 'name=debian-77',
  'name=like:debian-7': 'name=like:debian-7',
  'disk_format=in:iso,vmdk': 'disk_format=in:iso,vmdk',
  'a property of 1 in 5': 'os_distro=debian',
  'a property of 1 in 20,000': 'build=build-77',
  'two properties': 'os_distro=debian&hw_disk_bus=virtio',
  'a tag of 1 in 5': 'tag=production',
  'a tag of 1 in 1,000': 'tag=rare',
  'size_min, size_max': 'size_min=1000000000&size_max=2000000000',
  'created_at=gte:': 'created_at=gte:2025-06-01',
  'visibility=public': 'visibility=public',
  'visibility=shared': 'visibility=shared',
  'visibility=community': 'visibility=community',
  'visibility=private': 'visibility=private',
  'visibility=all': 'visibility=all',
  'os_hidden=true': 'os_hidden=true',
  'protected=true': 'protected=true',
  'owner=its own': `owner=${tenant.projectId}`,
  'member_status=all': 'member_status=all',
  'member_status=pending': 'member_status=pending&visibility=shared',
};

const directions = ['asc', 'desc'] as const;
const member = {
  'x-identity-status': 'Confirmed',
  'x-project-id': tenant.projectId,
  'x-user-id': 'somebody',
  'x-roles': 'member,reader',
};

/** The public image in the middle of the order. */
async function middle(connection: Connection, key: string, direction: string): Promise<string> {
  const [rows] = await connection.query(
    `SELECT id FROM images WHERE visibility = 'public' AND deleted = 0 AND os_hidden = 0
     ORDER BY ${[...new Set([key, 'created_at', 'id'])].map((name) => `${name} ${direction}`).join(', ')} LIMIT 1 OFFSET 25000`,
  );
  return (rows as { id: string }[])[0]!.id;
}

async function timePage(url: string, query: string): Promise<number> {
  const start = performance.now();
  const response = await fetch(`${url}/v2/images?${query}`, { headers: member });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${query} was answered with ${response.status}: ${text}`);
  return performance.now() - start;
}

interface Measured {
  readonly key: string;
  readonly direction: string;
  readonly filter: string;
  readonly place: 'first' | 'deep';
  readonly ms: number;
}

async function measureAll(url: string, databaseUrl: string, rounds: number): Promise<Measured[]> {
  const connection = await createConnection({ uri: databaseUrl });
  const measured: Measured[] = [];
  try {
    for (const key of sortKeys)
      for (const direction of directions) {
        const marker = await middle(connection, key, direction);
        for (const [filter, condition] of Object.entries(filters))
          for (const place of ['first', 'deep'] as const) {
            const query = `limit=${PAGE}&sort_key=${key}&sort_dir=${direction}&${condition}${place === 'deep' ? `&marker=${marker}` : ''}`;
            const times: number[] = [];
            for (let n = 0; n < rounds; n += 1) times.push(await timePage(url, query));
            measured.push({ key, direction, filter, place, ms: median(times) });
          }
      }
  } finally {
    await connection.end();
  }
  return measured;
}

function rowOf(what: string, some: readonly Measured[]): Row {
  const worst = some.toSorted((a, b) => b.ms - a.ms)[0]!;
  return {
    what,
    figure: `${round(median(some.map(({ ms }) => ms)), 1)} ms`,
    aim: `${AIM_MS} ms`,
    note: `slowest ${round(worst.ms, 1)} ms: ${worst.filter}, ${worst.key} ${worst.direction}, ${worst.place} page`,
  };
}

/**
 * Pages of 100 among a million images, for a plain member of a project, through the whole API: every sort key in both
 * directions, with every filter, from the start of the list and from its middle. One request at a time.
 */
export async function benchList(url: string, databaseUrl: string, rounds: number): Promise<Row[]> {
  const measured = await measureAll(url, databaseUrl, rounds);
  return [
    ...sortKeys.map((key) =>
      rowOf(
        `by ${key}`,
        measured.filter((one) => one.key === key),
      ),
    ),
    ...Object.keys(filters).map((filter) =>
      rowOf(
        filter,
        measured.filter((one) => one.filter === filter),
      ),
    ),
  ];
}

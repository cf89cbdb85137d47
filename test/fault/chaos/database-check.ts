import type { Database, JobRow, OutboxRow } from '@glimpse/persistence';

interface LiveLocation {
  id: number;
  image_id: string;
  value: string;
  meta_data: string | null;
}

const liveLocations = (database: Database) =>
  database.query<LiveLocation>(
    'SELECT id, image_id, value, meta_data FROM image_locations WHERE deleted = 0 ORDER BY id',
  );

/** Those of `keys` that come more than once. */
function repeated(keys: readonly string[]): string[] {
  const seen = new Set<string>();
  return keys.filter((key) => seen.size === seen.add(key).size);
}

async function findTwofoldLocations(database: Database): Promise<string[]> {
  const locations = await liveLocations(database);
  const storeOf = ({ meta_data }: LiveLocation) =>
    String((JSON.parse(meta_data ?? '{}') as { store?: string }).store);
  return [
    ...repeated(locations.map((one) => `image ${one.image_id} in store ${storeOf(one)}`)),
    ...repeated(locations.map(({ value }) => value)),
  ].map((what) => `two locations: ${what}`);
}

/** Facts that can be true only once, and how often each was announced. */
const ONCE = new Set(['image.created', 'image.activated', 'image.deleted', 'job.completed', 'job.failed']);

async function findTwofoldEvents(database: Database): Promise<string[]> {
  const events = await database.query<Pick<OutboxRow, 'name' | 'subject'>>(
    'SELECT name, subject FROM outbox ORDER BY id',
  );
  return repeated(
    events.filter(({ name }) => ONCE.has(name)).map(({ name, subject }) => `${name} of ${subject}`),
  ).map((what) => `announced twice: ${what}`);
}

/** Each thing that ended has been announced as what it became. */
async function findUnannounced(database: Database): Promise<string[]> {
  const ends = {
    'image.activated': "SELECT id FROM images WHERE status IN ('active', 'deactivated')",
    'image.deleted': 'SELECT id FROM images WHERE deleted = 1',
    'job.completed': "SELECT id FROM jobs WHERE status = 'done'",
  };
  const missing: string[] = [];
  for (const [name, sql] of Object.entries(ends)) {
    const rows = await database.query<{ id: string }>(
      `${sql} AND id NOT IN (SELECT subject FROM outbox WHERE name = ?)`,
      [name],
    );
    missing.push(...rows.map(({ id }) => `never announced: ${name} of ${id}`));
  }
  return missing;
}

/** But for those whose image was deleted meanwhile. */
async function findFailedJobs(database: Database): Promise<string[]> {
  const jobs = await database.query<Pick<JobRow, 'id' | 'kind' | 'image_id' | 'last_error'>>(
    "SELECT id, kind, image_id, last_error FROM jobs WHERE status = 'failed' AND image_id NOT IN (SELECT id FROM images WHERE deleted = 1)",
  );
  return jobs.map((job) => `failed for good: job ${JSON.stringify(job)}`);
}

async function findContradictions(database: Database): Promise<string[]> {
  const questions = {
    'active without a location':
      "SELECT id FROM images WHERE deleted = 0 AND status = 'active' AND id NOT IN (SELECT image_id FROM image_locations WHERE deleted = 0)",
    'a location of an image without data':
      "SELECT image_id AS id FROM image_locations WHERE deleted = 0 AND image_id NOT IN (SELECT id FROM images WHERE deleted = 0 AND status IN ('active', 'deactivated'))",
    'staged data of an image that awaits none':
      "SELECT image_id AS id FROM staged_data WHERE image_id NOT IN (SELECT id FROM images WHERE deleted = 0 AND status = 'uploading')",
    'a member of an image that is gone':
      'SELECT image_id AS id FROM image_members WHERE deleted = 0 AND image_id IN (SELECT id FROM images WHERE deleted = 1)',
  };
  const found: string[] = [];
  for (const [what, sql] of Object.entries(questions))
    for (const { id } of await database.query<{ id: string }>(sql)) found.push(`${what}: ${id}`);
  return found;
}

/** SQLite's file has to be whole after each death of the process that wrote it. MySQL looks at its own. */
async function findDamage(database: Database): Promise<string[]> {
  if (database.dialect === 'mysql') return [];
  const rows = await database.query<{ integrity_check: string }>('PRAGMA integrity_check');
  return rows.map((row) => row.integrity_check).filter((text) => text !== 'ok');
}

/** Whether every effect came about once and fits the others. Asked when nothing is in motion any more. */
export async function findDatabaseFaults(database: Database): Promise<string[]> {
  const searches = [
    findTwofoldLocations,
    findTwofoldEvents,
    findUnannounced,
    findFailedJobs,
    findContradictions,
    findDamage,
  ];
  return (await Promise.all(searches.map((search) => search(database)))).flat();
}

/** The files that the database says are there. */
export async function promisedFiles(database: Database): Promise<string[]> {
  const staged = await database.query<{ url: string }>('SELECT url FROM staged_data');
  const urls = [
    ...(await liveLocations(database)).map(({ value }) => value),
    ...staged.map(({ url }) => url),
  ];
  return urls.map((url) => decodeURIComponent(new URL(url).pathname));
}

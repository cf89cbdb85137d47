/** A database with a million images, as a large cloud has them. Everything about image `n` follows from `n` alone. */
import { Database } from '@glimpse/persistence';
import { type Connection, createConnection } from 'mysql2/promise';

/** Images that are not deleted; a tenth more are. */
export const IMAGES = 1_000_000;
const DELETED = IMAGES / 10;
const CHUNK = 50_000;

/** The project whose member lists, and what it sees. */
export const tenant = { projectId: 'tenant', own: 1_000, sharedWith: 500 };
const PUBLIC = 50_000;
const COMMUNITY = 20_000;
const FIRST_SHARED = tenant.own + PUBLIC + COMMUNITY;

/** A number below `below` that looks random: `salt` tells the uses of one `n` apart. */
const pick = (salt: string, below: number) => `CONV(LEFT(MD5(CONCAT('${salt}', n)), 8), 16, 10) % ${below}`;

const hex = (salt: string) => `MD5(CONCAT('${salt}', n))`;
const idOf = (n: string) => {
  const digits = `MD5(CONCAT('id', ${n}))`;
  return `LOWER(CONCAT_WS('-', SUBSTR(${digits}, 1, 8), SUBSTR(${digits}, 9, 4), SUBSTR(${digits}, 13, 4), SUBSTR(${digits}, 17, 4), SUBSTR(${digits}, 21, 12)))`;
};

/** The numbers from `from` on, `CHUNK` of them, as a table with the column `n`. */
function numbers(from: number): string {
  const digit =
    '(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)';
  const places = [0, 1, 2, 3, 4].map((place) => `${digit} d${place}`).join(' CROSS JOIN ');
  const value = [0, 1, 2, 3, 4].map((place) => `d${place}.d * ${10 ** place}`).join(' + ');
  return `(SELECT ${from} + ${value} AS n FROM ${places} WHERE ${value} < ${CHUNK}) numbers`;
}

const choose = (salt: string, ...values: string[]) =>
  `ELT(1 + ${pick(salt, values.length)}, ${values.map((value) => `'${value}'`).join(', ')})`;

const isQueued = `${pick('status', 100)} < 6`;
const created = `TIMESTAMPADD(SECOND, FLOOR(n * 86.4) + ${pick('created', 3600)}, '2023-01-01')`;

const images = (from: number) => `
  INSERT INTO images (id, name, disk_format, container_format, size, virtual_size, status, visibility, checksum,
    os_hash_algo, os_hash_value, min_disk, min_ram, owner, protected, os_hidden, created_at, updated_at, deleted_at, deleted)
  SELECT ${idOf('n')},
    IF(${pick('unnamed', 100)} = 0, NULL, CONCAT(${choose('name', 'debian', 'ubuntu', 'rocky', 'windows', 'snapshot', 'backup', 'golden')}, '-', ${pick('number', 5000)})),
    IF(${isQueued} AND n % 3 = 0, NULL, ${choose('disk', 'raw', 'qcow2', 'qcow2', 'qcow2', 'iso', 'vmdk')}),
    IF(${isQueued} AND n % 3 = 0, NULL, ${choose('container', 'bare', 'bare', 'bare', 'ovf')}),
    IF(${isQueued}, NULL, ${pick('size', 2_000_000_000)} * 5), NULL,
    IF(n >= ${IMAGES}, 'deleted', IF(${isQueued}, 'queued', IF(${pick('status', 100)} < 8, 'deactivated', 'active'))),
    CASE WHEN n < ${tenant.own} THEN ${choose('own', 'private', 'private', 'shared', 'community')}
      WHEN n < ${tenant.own + PUBLIC} THEN 'public'
      WHEN n < ${tenant.own + PUBLIC + COMMUNITY} THEN 'community'
      WHEN n < ${tenant.own + PUBLIC + COMMUNITY + tenant.sharedWith} THEN 'shared'
      ELSE ${choose('visibility', 'private', 'private', 'shared')} END,
    IF(${isQueued}, NULL, ${hex('md5')}), IF(${isQueued}, NULL, 'sha512'),
    IF(${isQueued}, NULL, CONCAT(${hex('h1')}, ${hex('h2')}, ${hex('h3')}, ${hex('h4')})),
    ${pick('disk_size', 40)}, ${pick('ram', 8)} * 512,
    IF(n < ${tenant.own}, '${tenant.projectId}', ${hex('owner')}), ${pick('protected', 20)} = 0, ${pick('hidden', 20)} = 0,
    ${created}, TIMESTAMPADD(SECOND, ${pick('updated', 10_000_000)}, ${created}),
    IF(n >= ${IMAGES}, '2026-01-01', NULL), n >= ${IMAGES}
  FROM (SELECT FLOOR(m * 7919) % ${IMAGES + DELETED} AS n FROM (SELECT n AS m FROM ${numbers(from)}) shuffled) numbers`;

/** What the ten properties of an image hold. */
const properties: Readonly<Record<string, string>> = {
  os_distro: choose('os_distro', 'debian', 'ubuntu', 'rocky', 'windows', 'suse'),
  os_version: `CONCAT(${pick('os_version', 30)}, '.', ${pick('minor', 4)})`,
  os_type: choose('os_type', 'linux', 'linux', 'linux', 'windows'),
  architecture: choose('architecture', 'x86_64', 'x86_64', 'x86_64', 'aarch64'),
  hw_disk_bus: choose('hw_disk_bus', 'virtio', 'scsi'),
  hw_vif_model: choose('hw_vif_model', 'virtio', 'e1000'),
  image_type: choose('image_type', 'snapshot', 'backup', 'base'),
  instance_uuid: hex('instance'),
  build: `CONCAT('build-', ${pick('build', 20_000)})`,
  description: `CONCAT('Image ', n, ' of ', ${hex('owner')})`,
};

/** In the order of the images' ids, so that the largest indexes only grow at their end. */
const children = (lower: string, upper: string) => `
  FROM (SELECT id AS image_id, CRC32(id) AS n, created_at, deleted FROM images WHERE id >= '${lower}' AND id < '${upper}') i`;
const LIFETIME = "i.created_at, i.created_at, IF(i.deleted = 1, '2026-01-01', NULL), i.deleted";

const insertProperties = (lower: string, upper: string) => `
  INSERT INTO image_properties (image_id, name, value, created_at, updated_at, deleted_at, deleted)
  SELECT i.image_id, p.name, CASE p.name ${Object.entries(properties)
    .map(([name, value]) => `WHEN '${name}' THEN ${value}`)
    .join(' ')} END, ${LIFETIME}
  ${children(lower, upper)} CROSS JOIN (${Object.keys(properties)
    .map((name) => `SELECT '${name}' AS name`)
    .join(' UNION ')}) p ORDER BY i.image_id, p.name`;

const insertTags = (lower: string, upper: string) => `
  INSERT INTO image_tags (image_id, value, created_at, updated_at, deleted_at, deleted)
  SELECT i.image_id, t.value, ${LIFETIME}
  ${children(lower, upper)} CROSS JOIN (SELECT 'all' AS value, 1 AS one_in UNION SELECT 'production', 5 UNION SELECT 'rare', 1000) t
  WHERE CONV(LEFT(MD5(CONCAT(t.value, i.n)), 8), 16, 10) % t.one_in = 0 ORDER BY i.image_id, t.value`;

const insertLocations = (lower: string, upper: string) => `
  INSERT INTO image_locations (image_id, value, meta_data, status, created_at, updated_at, deleted_at, deleted)
  SELECT i.image_id, CONCAT('file:///srv/images/', i.image_id), '{}', IF(i.deleted = 1, 'deleted', 'active'), ${LIFETIME}
  ${children(lower, upper)} ORDER BY i.image_id`;

/** Every third shared image has three members; those for the tenant are its own, most of them accepted. */
const insertMembers = [
  `INSERT INTO image_members (image_id, member, can_share, status, created_at, updated_at, deleted)
   SELECT i.id, CONCAT('project-', CRC32(CONCAT(m.k, i.id)) % 20000), 0, 'accepted', i.created_at, i.created_at, 0
   FROM images i CROSS JOIN (SELECT 1 AS k UNION SELECT 2 UNION SELECT 3) m
   WHERE i.visibility = 'shared' AND i.deleted = 0 AND CRC32(i.id) % 3 = 0`,
  `INSERT INTO image_members (image_id, member, can_share, status, created_at, updated_at, deleted)
   SELECT i.id, '${tenant.projectId}', 0, IF(n % 4 = 0, 'pending', IF(n % 40 = 1, 'rejected', 'accepted')), i.created_at, i.created_at, 0
   FROM (SELECT n, ${idOf('n')} AS id FROM ${numbers(FIRST_SHARED)} WHERE n < ${FIRST_SHARED + tenant.sharedWith}) s
   JOIN images i ON i.id = s.id`,
];

interface IndexPart {
  readonly table: string;
  readonly name: string;
  readonly columns: string;
}

/** The indexes that Glimpse adds to Glance's tables. */
async function addedIndexes(connection: Connection): Promise<IndexPart[]> {
  const [rows] = await connection.query(
    `SELECT table_name AS \`table\`, index_name AS name,
       GROUP_CONCAT(CONCAT(column_name, IF(sub_part IS NULL, '', CONCAT('(', sub_part, ')'))) ORDER BY seq_in_index) AS columns
     FROM information_schema.statistics WHERE table_schema = DATABASE() AND index_name LIKE 'glimpse\\_%'
     GROUP BY table_name, index_name`,
  );
  return rows as IndexPart[];
}

async function fill(connection: Connection, say: (what: string) => void): Promise<void> {
  await connection.query('SET SESSION foreign_key_checks = 0, unique_checks = 0');
  const indexes = await addedIndexes(connection);
  // Built in one go below, which is many times faster than row by row.
  for (const { table, name } of indexes) await connection.query(`DROP INDEX ${name} ON ${table}`);
  for (let from = 0; from < IMAGES + DELETED; from += CHUNK) await connection.query(images(from));
  say('images');
  for (let part = 0; part < 16; part += 1) {
    const bounds = [part.toString(16), part === 15 ? 'g' : (part + 1).toString(16)] as const;
    await connection.query(insertProperties(...bounds));
    await connection.query(insertTags(...bounds));
    await connection.query(insertLocations(...bounds));
  }
  say('properties, tags, locations');
  for (const statement of insertMembers) await connection.query(statement);
  say('members');
  for (const { table, name, columns } of indexes)
    await connection.query(`CREATE INDEX ${name} ON ${table} (${columns})`);
  await connection.query(
    'ANALYZE TABLE images, image_properties, image_tags, image_members, image_locations',
  );
  say('indexes and statistics');
}

/** Says that the database was filled to the end; its name keeps other releases of this script from using it. */
const COMPLETE = 'bench_complete_2';

async function isComplete(connection: Connection, name: string): Promise<boolean> {
  const [rows] = await connection.query(
    'SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?',
    [name, COMPLETE],
  );
  return Array.isArray(rows) && rows.length > 0;
}

async function bringUpToDate(url: string): Promise<void> {
  const database = await Database.open({ url, poolSize: 1, connectTimeoutMs: 5_000 });
  try {
    await database.migrate();
  } finally {
    await database.close();
  }
}

/**
 * Makes the database `name` on the server of `serverUrl` and fills it, unless that was done before; resolves with its
 * URL. The schema is brought up to this release in either case.
 */
export async function provideMillionImages(
  serverUrl: string,
  name = 'glimpse_bench_million',
): Promise<string> {
  const url = new URL(serverUrl);
  const connection = await createConnection({ uri: url.href });
  url.pathname = `/${name}`;
  const start = Date.now();
  const say = (what: string) => console.log(`  ${((Date.now() - start) / 1000).toFixed(0)} s: ${what}`);
  try {
    if (!(await isComplete(connection, name))) {
      console.log(`Making a million images in the database ${name}; it stays for the next time`);
      await connection.query(`DROP DATABASE IF EXISTS ${name}`);
      await connection.query(`CREATE DATABASE ${name}`);
      await bringUpToDate(url.href);
      await connection.query(`USE ${name}`);
      await fill(connection, say);
      await connection.query(`CREATE TABLE ${COMPLETE} (id INT PRIMARY KEY)`);
    }
    await bringUpToDate(url.href);
    return url.href;
  } finally {
    await connection.end();
  }
}

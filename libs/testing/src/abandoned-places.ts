import { createConnection } from 'mysql2/promise';
import { managementRequest } from './management-request.js';
import { isAbandonedPlace } from './place-names.js';
import type { TestServers } from './test-servers.js';

async function removeFromRabbitmq({ managementUrl }: TestServers): Promise<number> {
  let removed = 0;
  for (const kind of ['vhosts', 'users']) {
    const listed = (await (await managementRequest(managementUrl, 'GET', kind)).json()) as { name: string }[];
    for (const { name } of listed.filter((one) => isAbandonedPlace(one.name))) {
      // Another run may look for them at the same time.
      await managementRequest(managementUrl, 'DELETE', `${kind}/${name}`).catch(() => undefined);
      removed += 1;
    }
  }
  return removed;
}

async function removeFromMysql({ databaseUrl }: TestServers): Promise<number> {
  const connection = await createConnection({ uri: databaseUrl });
  try {
    const [rows] = await connection.query('SELECT schema_name AS name FROM information_schema.schemata');
    const abandoned = (rows as { name: string }[]).filter(({ name }) => isAbandonedPlace(name));
    for (const { name } of abandoned) await connection.query(`DROP DATABASE IF EXISTS ${name}`);
    return abandoned.length;
  } finally {
    await connection.end();
  }
}

/**
 * Removes the virtual hosts, users and databases that tests of this machine have left behind whose process has ended
 * before it could; says how many. Those of tests that are running stay.
 */
export const removeAbandonedPlaces = async (servers: TestServers): Promise<number> =>
  (await removeFromRabbitmq(servers)) + (await removeFromMysql(servers));

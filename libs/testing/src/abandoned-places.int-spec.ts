import { spawnSync } from 'node:child_process';
import { createConnection } from 'mysql2/promise';
import { describe, expect, it } from '@jest/globals';
import { removeAbandonedPlaces } from './abandoned-places.js';
import { managementRequest } from './management-request.js';
import { newPlaceName } from './place-names.js';
import { createDatabase, createVirtualHost, getTestServers } from './test-servers.js';

describe('places for tests', () => {
  const servers = getTestServers();
  const has = async (kind: string, name: string) => {
    const listed = await (await managementRequest(servers.managementUrl, 'GET', kind)).json();
    return (listed as { name: string }[]).some((one) => one.name === name);
  };
  const sql = async (statement: string) => {
    const connection = await createConnection({ uri: servers.databaseUrl });
    const [rows] = await connection.query(statement);
    await connection.end();
    return rows as unknown[];
  };

  it('are removed when their process has ended, and those of others stay', async () => {
    const { pid } = spawnSync('true');
    const abandoned = newPlaceName().replace(`_${process.pid}_`, `_${pid}_`);
    await managementRequest(servers.managementUrl, 'PUT', `vhosts/${abandoned}`, {});
    await managementRequest(servers.managementUrl, 'PUT', `users/${abandoned}`, { password: 'x', tags: '' });
    await sql(`CREATE DATABASE ${abandoned}`);
    const host = await createVirtualHost();
    const database = await createDatabase();

    expect(await removeAbandonedPlaces(servers)).toBeGreaterThanOrEqual(3);

    expect(await has('vhosts', abandoned)).toBe(false);
    expect(await has('users', abandoned)).toBe(false);
    expect(await sql(`SHOW DATABASES LIKE '${abandoned}'`)).toEqual([]);
    expect(await has('vhosts', new URL(host.url).username)).toBe(true);
    expect(await sql(`SHOW DATABASES LIKE '${new URL(database.url).pathname.slice(1)}'`)).toHaveLength(1);
    await host.remove();
    await database.remove();
  });
});

import { randomUUID } from 'node:crypto';
import { createDatabase, getTlsServers } from '@glimpse/testing';
import { describe, expect, it } from '@jest/globals';
import { Database, type DatabaseOptions, glanceId } from './index.js';
import { describePersistence } from './persistence.conformance.js';

describePersistence('MySQL', async () => {
  const place = await createDatabase();
  return {
    options: { url: place.url, poolSize: 5, connectTimeoutMs: 5000 },
    remove: () => place.remove(),
  };
});

describe('a MySQL server that goes away', () => {
  it('is told apart from a bug', async () => {
    const opening = Database.open({
      url: 'mysql://nobody:secret@127.0.0.1:1/none',
      poolSize: 1,
      connectTimeoutMs: 1000,
    });

    await expect(opening).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  });

  it('is not noticed where only the idle connections were lost', async () => {
    const place = await createDatabase();
    const database = await Database.open({ url: place.url, poolSize: 2, connectTimeoutMs: 5000 });
    const killer = await Database.open({ url: place.url, poolSize: 1, connectTimeoutMs: 5000 });
    const [own] = await database.query<{ id: number }>('SELECT CONNECTION_ID() AS id');

    await killer.query(`KILL ${own!.id}`);
    const answers = await Promise.all([
      database.query('SELECT 1 AS one'),
      database.unitOfWork.run((tx) => tx.query('SELECT 2 AS two')),
    ]);

    expect(answers).toEqual([[{ one: 1 }], [{ two: 2 }]]);
    await Promise.all([database.close(), killer.close()]);
    await place.remove();
  });
});

describe('a row of Glance that belongs to one of ours', () => {
  it('is found by its index', async () => {
    const place = await createDatabase();
    const database = await Database.open({ url: place.url, poolSize: 1, connectTimeoutMs: 5000 });
    await database.migrate();

    const plan = await database.query<{ table: string; key: string | null }>(
      `EXPLAIN SELECT j.kind, i.owner FROM jobs j LEFT JOIN images i ON i.id = ${glanceId('j.image_id')}`,
    );

    expect(plan.find(({ table }) => table === 'i')?.key).toBe('PRIMARY');
    await database.close();
    await place.remove();
  });
});

describe('MySQL by TLS', () => {
  const open = (url: string, tls: NonNullable<DatabaseOptions['tls']>) =>
    Database.open({ url, poolSize: 1, connectTimeoutMs: 5000, tls });
  const cipherOf = async (database: Database) => {
    const rows = await database.query<{ Value: string }>("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
    await database.close();
    return rows[0]?.Value ?? '';
  };

  it('is used when it is asked for', async () => {
    const { databaseUrl, caFile } = getTlsServers();

    await expect(open(databaseUrl, { mode: 'disabled' }).then(cipherOf)).resolves.toBe('');
    await expect(open(databaseUrl, { mode: 'required' }).then(cipherOf)).resolves.not.toBe('');
    await expect(open(databaseUrl, { mode: 'verify_ca', caFile }).then(cipherOf)).resolves.not.toBe('');
    await expect(open(databaseUrl, { mode: 'verify_identity', caFile }).then(cipherOf)).resolves.not.toBe('');
  });

  it('trusts the authorities of the file it is given, and no others', async () => {
    const { databaseUrl } = getTlsServers();

    await expect(open(databaseUrl, { mode: 'verify_ca' })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    });
  });

  it('does not take the certificate of another server', async () => {
    const { databaseUrl, caFile } = getTlsServers();
    // This machine by a name that is not in the certificate.
    const other = databaseUrl.replace('localhost', '127.1');

    await expect(open(other, { mode: 'verify_ca', caFile }).then(cipherOf)).resolves.not.toBe('');
    await expect(open(other, { mode: 'verify_identity', caFile })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    });
  });

  it('shows its certificate to a server that asks for one', async () => {
    const { databaseUrl, caFile, clientCertFile: certFile, clientKeyFile: keyFile } = getTlsServers();
    const user = `tls_${randomUUID().slice(0, 8)}`;
    const root = await open(databaseUrl, { mode: 'required' });
    await root.query(`CREATE USER '${user}'@'%' IDENTIFIED BY 'secret' REQUIRE X509`);
    try {
      const url = new URL(databaseUrl);
      url.username = user;
      url.password = 'secret';
      url.pathname = '/information_schema';

      await expect(open(url.href, { mode: 'verify_ca', caFile })).rejects.toBeDefined();
      await expect(
        open(url.href, { mode: 'verify_ca', caFile, certFile, keyFile }).then(cipherOf),
      ).resolves.not.toBe('');
    } finally {
      await root.query(`DROP USER '${user}'@'%'`);
      await root.close();
    }
  });
});

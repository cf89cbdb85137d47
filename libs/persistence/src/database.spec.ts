import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseDatabaseUrl } from './database-url.js';
import { Database } from './index.js';
import { describePersistence } from './persistence.conformance.js';

async function makeFixture() {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-db-'));
  return {
    options: { url: `sqlite:${join(folder, 'test.sqlite')}`, poolSize: 1, connectTimeoutMs: 1000 },
    remove: () => rm(folder, { recursive: true }),
  };
}

describePersistence('SQLite', makeFixture);

describe('SQLite on an empty database', () => {
  it('plans for many images from the start', async () => {
    const fixture = await makeFixture();
    const database = await Database.open(fixture.options);
    await database.migrate();
    const planOf = async (sql: string) =>
      (await database.query<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)).map(({ detail }) => detail);

    expect(await planOf("SELECT name FROM images WHERE id IN ('a', 'b') AND deleted = 0")).toEqual([
      'SEARCH images USING INDEX sqlite_autoindex_images_1 (id=?)',
    ]);
    expect(
      await planOf("SELECT value FROM image_properties WHERE image_id IN ('a', 'b') AND deleted = 0"),
    ).toEqual(['SEARCH image_properties USING INDEX ix_image_properties_image_id (image_id=?)']);
    await database.close();
    await fixture.remove();
  });
});

describe('parseDatabaseUrl', () => {
  it('understands credentials with odd characters, IPv6 and the default port', () => {
    expect(parseDatabaseUrl('mysql://us%40er:p%2Fw%3A@[::1]/glance')).toEqual({
      dialect: 'mysql',
      host: '::1',
      port: 3306,
      user: 'us@er',
      password: 'p/w:',
      database: 'glance',
    });
    expect(parseDatabaseUrl('sqlite:./a b.sqlite')).toEqual({ dialect: 'sqlite', path: './a b.sqlite' });
  });

  it.each(['mysql://user:secret@host', 'mysql://user:secret@host/a/b', 'mysql://', 'sqlite::memory:', 'x'])(
    'refuses %s without repeating it',
    (url) => {
      expect(() => parseDatabaseUrl(url)).toThrow(/^databaseUrl: (?!.*secret)/);
    },
  );
});

import { createDatabase } from '@glimpse/testing';
import { describe, expect, it } from '@jest/globals';
import { Database } from './index.js';
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

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Database, type DatabaseOptions, type ImageRow, type NewRow, UniqueViolation } from './index.js';
import { migrationOptions } from './migrations/index.js';

/** An empty database for one test file, or for one test. */
export interface DatabaseFixture {
  readonly options: DatabaseOptions;
  remove(): Promise<void>;
}

const TIME = '2026-01-02 03:04:05';

const anImage = (id: string, more: NewRow<'images'> = {}): NewRow<'images'> => ({
  id,
  name: 'web',
  size: null,
  status: 'queued',
  visibility: 'shared',
  min_disk: 0,
  min_ram: 0,
  owner: 'p1',
  protected: 0,
  os_hidden: 0,
  created_at: TIME,
  updated_at: TIME,
  deleted: 0,
  ...more,
});

const aProperty = (image_id: string, name: string, value: string | null): NewRow<'image_properties'> => ({
  image_id,
  name,
  value,
  created_at: TIME,
  updated_at: TIME,
  deleted: 0,
});

/** What both databases promise. */
export function describePersistence(name: string, makeFixture: () => Promise<DatabaseFixture>): void {
  describe(`persistence on ${name}`, () => {
    describe('migrations', () => {
      let fixture: DatabaseFixture;
      beforeEach(async () => {
        fixture = await makeFixture();
      });
      afterEach(async () => {
        await fixture.remove();
      });

      it('makes the schema once when two processes start at once', async () => {
        const databases = await Promise.all([Database.open(fixture.options), Database.open(fixture.options)]);

        const [first, second] = await Promise.all(databases.map((database) => database.migrate()));

        expect(first!.length + second!.length).toBe(migrationOptions.migrations.length);
        expect(await databases[0].pendingMigrations()).toEqual([]);
        expect(await databases[0].query('SELECT version_num FROM alembic_version')).toEqual([
          { version_num: '2024_1_contract01' },
        ]);
        await Promise.all(databases.map((database) => database.close()));
      });

      it('goes on where an earlier start died half way, and leaves what is there alone', async () => {
        const database = await Database.open(fixture.options);
        await database.migrate();
        await database.unitOfWork.run(async (tx) => {
          await tx.insert('images', [anImage('i1')]);
          await tx.execute('DROP TABLE image_tags');
          await tx.execute('DELETE FROM alembic_version');
          await tx.execute('DELETE FROM glimpse_migrations');
        });

        const run = await database.migrate();

        expect(run).toHaveLength(migrationOptions.migrations.length);
        expect(await database.query('SELECT id FROM images')).toEqual([{ id: 'i1' }]);
        expect(await database.query('SELECT id FROM image_tags')).toEqual([]);
        await database.close();
      });

      it('gives a database of Glance the indexes that statements name, where it has lost them', async () => {
        const database = await Database.open(fixture.options);
        await database.migrate();
        // Fails where there is no such index. SQLite takes the table for a comment.
        const drop = (index: string, table: string) =>
          database.unitOfWork.run((tx) => tx.execute(`DROP INDEX ${index} /*! ON ${table} */`));
        const dropAll = async () => {
          await drop('created_at_image_idx', 'images');
          await drop('updated_at_image_idx', 'images');
          await drop('ix_image_properties_image_id', 'image_properties');
          await drop('ix_image_tags_image_id', 'image_tags');
        };
        await dropAll();
        await database.unitOfWork.run((tx) => tx.execute('DELETE FROM glimpse_migrations'));

        await database.migrate();

        await expect(dropAll()).resolves.toBeUndefined();
        await database.close();
      });

      it('gives jobs that wait the projects whose turn they are to have', async () => {
        const database = await Database.open(fixture.options);
        await database.migrate();
        const job = { kind: 'import', status: 'queued', payload: '{}', attempt: 0, due_at: 1 };
        const times = { created_at: 1, updated_at: 1 };
        await database.unitOfWork.run(async (tx) => {
          await tx.insert('images', [anImage('i1', { owner: 'p1' })]);
          await tx.insert('jobs', [
            { ...job, ...times, id: 'j1', image_id: 'i1' },
            { ...job, ...times, id: 'j2', image_id: null },
          ]);
          await tx.execute("DELETE FROM glimpse_migrations WHERE name LIKE 'SnapshotRequests%'");
        });

        await database.migrate();

        expect(await database.query('SELECT id, project_id FROM jobs ORDER BY id')).toEqual([
          { id: 'j1', project_id: 'p1' },
          { id: 'j2', project_id: '' },
        ]);
        await database.close();
      });

      it.each([
        ['a newer schema', "INSERT INTO glimpse_migrations (timestamp, name) VALUES (9, 'Later9')", 'newer'],
        [
          'a Glance that is too old',
          "UPDATE alembic_version SET version_num = 'ussuri_contract01'",
          'ussuri_contract01',
        ],
      ])('refuses %s', async (_, statement, reason) => {
        const database = await Database.open(fixture.options);
        await database.migrate();
        await database.unitOfWork.run(async (tx) => {
          await tx.execute("DELETE FROM glimpse_migrations WHERE name LIKE 'GlanceSchema%'");
          await tx.execute(statement);
        });

        await expect(database.migrate()).rejects.toThrow(reason);
        await database.close();
      });
    });

    describe('transactions', () => {
      let fixture: DatabaseFixture;
      let database: Database;
      beforeAll(async () => {
        fixture = await makeFixture();
        database = await Database.open(fixture.options);
        await database.migrate();
      });
      afterAll(async () => {
        await database.close();
        await fixture.remove();
      });
      const run: Database['unitOfWork']['run'] = (work) => database.unitOfWork.run(work);
      const countOf = async (id: string) =>
        (await database.query('SELECT id FROM images WHERE id = ?', [id])).length;

      it('keeps all of it or nothing', async () => {
        const work = run(async (tx) => {
          await tx.insert('images', [anImage('gone')]);
          throw new Error('no');
        });

        await expect(work).rejects.toThrow('no');
        expect(await countOf('gone')).toBe(0);
      });

      it('shows nothing to others before the commit', async () => {
        await run(async (tx) => {
          await tx.insert('images', [anImage('hidden')]);
          expect(await countOf('hidden')).toBe(0);
        });

        expect(await countOf('hidden')).toBe(1);
      });

      it('runs hooks after the commit only', async () => {
        const seen: string[] = [];

        await run(async (tx) => {
          tx.afterCommit(() => seen.push('committed'));
          expect(seen).toEqual([]);
          await tx.insert('images', [anImage('hooked')]);
        });
        await run(async (tx) => {
          tx.afterCommit(() => seen.push('never'));
          await tx.insert('images', [anImage('hooked')]);
        }).catch(() => undefined);

        expect(seen).toEqual(['committed']);
      });

      it('does what comes last before the commit, as a part of the transaction', async () => {
        const seen: string[] = [];
        await run(async (tx) => {
          tx.beforeCommit(async () => {
            seen.push('last');
            await tx.insert('images', [anImage('last')]);
          });
          await tx.insert('images', [anImage('first')]);
          seen.push('first');
        });
        const failed = run(async (tx) => {
          tx.beforeCommit(() => tx.insert('images', [anImage('last')]));
          tx.afterCommit(() => seen.push('never'));
          await tx.insert('images', [anImage('lost')]);
        });

        await expect(failed).rejects.toThrow(UniqueViolation);
        expect(seen).toEqual(['first', 'last']);
        const rows = await database.query<ImageRow>('SELECT id FROM images ORDER BY id');
        expect(rows.map(({ id }) => id).filter((id) => ['first', 'last', 'lost'].includes(id))).toEqual([
          'first',
          'last',
        ]);
      });

      it('lets many write at once', async () => {
        await run((tx) => tx.insert('images', [anImage('counter', { min_ram: 0 })]));

        await Promise.all(
          Array.from({ length: 20 }, () =>
            run(async (tx) => {
              await tx.execute('UPDATE images SET min_ram = min_ram + 1 WHERE id = ?', ['counter']);
              const [row] = await tx.query<ImageRow>('SELECT min_ram FROM images WHERE id = ?', ['counter']);
              await tx.execute('UPDATE images SET min_disk = ? WHERE id = ?', [row!.min_ram, 'counter']);
            }),
          ),
        );

        const rows = await database.query('SELECT min_ram, min_disk FROM images WHERE id = ?', ['counter']);
        expect(rows).toEqual([{ min_ram: 20, min_disk: 20 }]);
      });

      it('survives transactions that take the same rows in a different order', async () => {
        await run((tx) => tx.insert('images', [anImage('a'), anImage('b')]));
        const touch = (...ids: string[]) =>
          run(async (tx) => {
            for (const id of ids)
              await tx.execute('UPDATE images SET min_ram = min_ram + 1 WHERE id = ?', [id]);
          });

        await Promise.all(
          Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? touch('a', 'b') : touch('b', 'a'))),
        );

        const rows = await database.query("SELECT min_ram FROM images WHERE id IN ('a', 'b')");
        expect(rows).toEqual([{ min_ram: 10 }, { min_ram: 10 }]);
      });

      it('counts the rows that an update matched, also where it changed nothing', async () => {
        await run((tx) => tx.insert('images', [anImage('cas')]));
        const begin = () =>
          run((tx) =>
            tx.execute("UPDATE images SET status = 'saving' WHERE id = ? AND status = 'queued'", ['cas']),
          );

        const outcomes = await Promise.all([begin(), begin()]);

        expect(outcomes[0] + outcomes[1]).toBe(1);
        const same = await run((tx) =>
          tx.execute("UPDATE images SET status = 'saving' WHERE id = ?", ['cas']),
        );
        expect(same).toBe(1);
      });

      it('takes many large rows at once', async () => {
        const payload = '\u4e2d'.repeat(32_000);
        const rows = Array.from({ length: 200 }, (_, index) => ({
          event_id: `large-${index}`,
          name: 'image.updated',
          subject: 'large',
          payload,
          occurred_at: 0,
          sent_at: null,
        }));

        await database.unitOfWork.run((tx) => tx.insert('outbox', rows));

        expect(
          await database.query("SELECT COUNT(*) AS count FROM outbox WHERE subject = 'large'"),
        ).toMatchObject([{ count: 200 }]);
      });

      it('says when a key is taken, and the transaction can go on', async () => {
        await run(async (tx) => {
          await tx.insert('images', [anImage('taken')]);
          await tx.insert('image_properties', [aProperty('taken', 'os', 'x')]);

          const again = tx.insert('image_properties', [aProperty('taken', 'os', 'y')]);

          await expect(again).rejects.toBeInstanceOf(UniqueViolation);
          await tx.insert('image_properties', [aProperty('taken', 'other', null)]);
        });
        expect(await database.query("SELECT id FROM image_properties WHERE image_id = 'taken'")).toHaveLength(
          2,
        );
      });

      it('gives sizes back as exact numbers and times as they were written', async () => {
        const size = 2 ** 53 - 1;
        await run((tx) => tx.insert('images', [anImage('big', { size, name: 'O\'Neill é \\ "q" ?' })]));

        const rows = await database.query(
          "SELECT size, name, created_at, owner FROM images WHERE id = 'big'",
        );

        expect(rows).toEqual([{ size, name: 'O\'Neill é \\ "q" ?', created_at: TIME, owner: 'p1' }]);
      });

      it('finds an image whatever the case of its id', async () => {
        await run((tx) => tx.insert('images', [anImage('AbC-1')]));

        expect(await countOf('aBc-1')).toBe(1);
        await expect(run((tx) => tx.insert('images', [anImage('ABC-1')]))).rejects.toBeInstanceOf(
          UniqueViolation,
        );
      });

      it('keeps children of an image from outliving it', async () => {
        await run(async (tx) => {
          await tx.insert('images', [anImage('parent')]);
          await tx.insert('image_tags', [
            { image_id: 'parent', value: 't', created_at: TIME, updated_at: TIME, deleted: 0 },
          ]);
        });

        await expect(run((tx) => tx.execute("DELETE FROM images WHERE id = 'parent'"))).rejects.toThrow(
          /foreign key/i,
        );
      });

      it('hands each of several competing claimers other rows', async () => {
        const lease = (id: string) => ({ kind: 'test', id, owner: '', state: 'held', created_at: 1 });
        await run((tx) => tx.insert('leases', ['1', '2', '3', '4'].map(lease)));
        const claim = () =>
          run(async (tx) => {
            const rows = await tx.queryUnclaimed<{ id: string }>(
              "SELECT id FROM leases WHERE kind = 'test' AND owner = '' ORDER BY id LIMIT 2",
            );
            for (const { id } of rows)
              await tx.execute(
                "UPDATE leases SET owner = 'me' WHERE kind = 'test' AND id = ? AND owner = ''",
                [id],
              );
            return rows.map(({ id }) => id);
          });

        const claimed = await Promise.all([claim(), claim()]);

        expect(claimed.flat().toSorted()).toEqual(['1', '2', '3', '4']);
      });
    });
  });
}

import { Database } from '@glimpse/persistence';
import { afterEach, beforeEach } from '@jest/globals';

/** Makes an empty place for a database. */
export type MakePlace = () => Promise<{ url: string; remove(): Promise<void> }>;

/** A database with our tables for each test of the group that calls this. */
export function databaseUnderTest(makePlace: MakePlace): () => Database {
  let place: Awaited<ReturnType<MakePlace>>;
  let database: Database;
  beforeEach(async () => {
    place = await makePlace();
    database = await Database.open({ url: place.url, poolSize: 2, connectTimeoutMs: 5000 });
    await database.migrate();
  });
  afterEach(async () => {
    await database.close();
    await place.remove();
  });
  return () => database;
}

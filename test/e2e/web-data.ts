import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { DataServer } from '@glimpse/testing';

/** A web server for the tests of the file that calls this, and new data on it. */
export function webData() {
  let web: DataServer;
  beforeAll(async () => {
    web = await DataServer.start();
  });
  afterAll(() => web.close());
  return {
    web: () => web,
    publish: (size = 300_000) => {
      const name = randomUUID();
      const data = randomBytes(size);
      return { name, data, url: web.serve(name, data) };
    },
  };
}

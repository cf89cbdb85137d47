import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { removeUnchanged } from './remove-unchanged.js';
import { S3Connection } from './s3-connection.js';
import { S3Inventory } from './s3-inventory.js';
import { S3Options } from './s3.options.js';

const KEY = '8c1ccd2a-6b0f-4a54-9a3e-7d1f6a0d3a10';
const ID = '11111111-2222-3333-4444-555555555555';
const WRITTEN = new Date('2026-01-01T00:00:00Z');

/** A bucket of a server that compares what it is to remove, or not. */
describe('removing an object that is to be the one that was looked at', () => {
  let server: Server;
  let options: S3Options;
  let connection: S3Connection;
  let objects: Map<string, string>;
  let compares: 'yes' | 'no' | 'refuses';
  /** Called after each answer. */
  let afterwards: (what: string) => void;
  let seen: string[];

  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const key = decodeURIComponent(new URL(request.url ?? '', 'http://x').pathname).replace('/bucket/', '');
    const etag = objects.get(key);
    const condition = request.headers['if-match'];
    seen.push(`${request.method} ${key}${condition === undefined ? '' : ` if ${condition}`}`);
    const refuse = (status: number, code: string) =>
      response
        .writeHead(status, { 'content-type': 'application/xml' })
        .end(`<Error><Code>${code}</Code></Error>`);
    response.once('finish', () => afterwards(`${request.method} ${key}`));
    if (request.method === 'PUT') {
      objects.set(key, etag ?? '"copy"');
      response.writeHead(200).end('<CopyObjectResult><ETag>"copy"</ETag></CopyObjectResult>');
    } else if (request.method === 'HEAD') {
      if (etag === undefined) return void response.writeHead(404).end();
      response.writeHead(200, { etag, 'last-modified': WRITTEN.toUTCString(), 'content-length': 1 }).end();
    } else if (condition !== undefined && compares === 'refuses') refuse(501, 'NotImplemented');
    else if (condition !== undefined && compares === 'yes' && condition !== etag)
      refuse(412, 'PreconditionFailed');
    else {
      objects.delete(key);
      response.writeHead(204).end();
    }
    return undefined;
  };

  beforeEach(async () => {
    objects = new Map([[KEY, '"old"']]);
    seen = [];
    compares = 'yes';
    afterwards = () => undefined;
    server = createServer(serve);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    options = S3Options.parse({
      host: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      access_key: 'key',
      secret_key: 'secret',
      bucket: 'bucket',
      max_attempts: 1,
    });
    connection = new S3Connection(options);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    connection.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const remove = () => removeUnchanged(connection, KEY, ({ etag }) => etag === '"old"', undefined);
  const upload = () => objects.set(KEY, '"new"');
  const setAside = () =>
    new S3Inventory(options, connection).setAside(
      {
        name: KEY,
        key: KEY,
        partialOf: null,
        size: 1,
        location: { uri: `${options.endpoint.href.replace('http', 's3')}bucket/${KEY}` },
        modifiedAt: WRITTEN.getTime(),
        version: `old-${WRITTEN.getTime() / 1_000}`,
      },
      ID,
      {},
    );

  it('has the server compare it', async () => {
    expect(await remove()).toBe(true);

    expect(seen).toEqual([`HEAD ${KEY}`, `DELETE ${KEY} if "old"`]);
    expect(objects.size).toBe(0);
  });

  it('leaves what took its place, before the look and after it', async () => {
    afterwards = upload;
    expect(await remove()).toBe(false);
    expect(await remove()).toBe(false);

    expect(objects.get(KEY)).toBe('"new"');
  });

  it('goes without on a server that refuses the condition', async () => {
    compares = 'refuses';
    expect(await remove()).toBe(true);
    objects.set(KEY, '"old"');
    expect(await remove()).toBe(true);

    expect(seen.filter((what) => what.includes(' if '))).toHaveLength(1);
  });

  it.each([
    ['has looked', 'no', 'HEAD'],
    ['was refused the condition', 'refuses', 'DELETE'],
  ] as const)('removes nothing after it stood still when it %s', async (_what, serverThat, last) => {
    compares = serverThat;
    const clock = jest.spyOn(performance, 'now');
    afterwards = (what) => {
      if (!what.startsWith(last)) return;
      upload();
      clock.mockReturnValue(1e12);
    };

    await expect(remove()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });

    expect(objects.get(KEY)).toBe('"new"');
  });

  it('is how data is set aside: what was uploaded meanwhile stays, and the copy goes', async () => {
    let looks = 0;
    afterwards = (what) => {
      // The look before the copy, and the one before the removal.
      if (what === `HEAD ${KEY}` && ++looks === 2) upload();
    };

    expect(await setAside()).toEqual({ outcome: 'changed' });

    expect([...objects]).toEqual([[KEY, '"new"']]);
  });
});

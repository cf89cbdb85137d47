// Takes bytes by `PUT /<way>` and does with them what the way says: the pipeline in front of several drivers, and plain copies.
import { createWriteStream, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createLogger } from '../../dist/libs/observability/src/index.js';
import { TransferPipeline } from '../../dist/libs/pipeline/src/index.js';
import { createStores } from '../../dist/libs/stores/src/index.js';

const folder = process.argv[2];
const stores = createStores(
  { stores: { file: { type: 'file', datadir: folder } }, defaultStore: 'file', isMultiStore: false },
  createLogger('bench', { level: 'warn' }),
);
const transfers = new TransferPipeline();

const file = stores.get('file');
const discard = {
  capabilities: { releasesChunks: true },
  async write(_key, data, { releaseChunk }) {
    for await (const chunk of data) releaseChunk(chunk);
    return { location: { uri: 'discard:' }, size: 0, metadata: {} };
  },
};

const through = (driver, hashAlgorithm, md5) => (source, key) =>
  transfers.storeImage({
    driver,
    key,
    source,
    ownsChunks: true,
    uploadId: key,
    hashAlgorithm,
    md5,
    sizeCap: 2 ** 53 - 1,
  });

const ways = {
  drop: async (source) => {
    for await (const _chunk of source);
  },
  copy: async (source, key) => {
    const path = join(folder, key);
    await pipeline(source, createWriteStream(path, { highWaterMark: 1 << 20 }));
    const handle = await open(path, 'r+');
    await handle.datasync();
    await handle.close();
  },
  'both-drop': through(discard, 'sha512', true),
  'both-file': through(file, 'sha512', true),
  'md5-sha256-file': through(file, 'sha256', true),
  'sha512-file': through(file, 'sha512', false),
  'sha256-file': through(file, 'sha256', false),
};

let count = 0;
async function receive(request, response) {
  const key = `object-${++count}`;
  try {
    await ways[request.url.slice(1)](request, key);
    response.writeHead(204).end();
  } catch (error) {
    response.writeHead(500).end(error.stack);
  }
  rmSync(join(folder, key), { force: true });
}

const server = createServer((request, response) => void receive(request, response));
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));

// The raw limit of bytes through Node: an HTTP server that does nothing but copy between the socket and a file.
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const folder = process.argv[2];

async function receive(request, response, path) {
  await pipeline(request, createWriteStream(path, { highWaterMark: 1 << 20 }));
  const handle = await open(path, 'r+');
  await handle.datasync();
  await handle.close();
  response.writeHead(204).end();
}

async function answer(request, response) {
  const path = join(folder, request.url.slice(1));
  if (request.method === 'PUT') await receive(request, response, path);
  else if (request.method === 'DELETE') await rm(path).then(() => response.writeHead(204).end());
  else await pipeline(createReadStream(path, { highWaterMark: 512 << 10 }), response);
}

const server = createServer((request, response) => void answer(request, response));
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));

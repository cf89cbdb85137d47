/** `npm run demo`: the life of an image through the HTTP API, each step as it could be typed, with what came back. */
import { createHash } from 'node:crypto';
import { mkdtempSync, openAsBlob, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { makeDiskImage } from './disk-image.js';
import { inMiB, send, step, tell } from './narration.js';
import { findOrStartService } from './service.js';

type Image = Readonly<Record<string, unknown>> & { readonly id: string };

const sha512 = (bytes: Uint8Array) => createHash('sha512').update(bytes).digest('hex');

function showImage(image: Image): void {
  for (const key of [
    'id',
    'name',
    'status',
    'disk_format',
    'size',
    'virtual_size',
    'checksum',
    'os_hash_algo',
  ])
    tell(`  ${key.padEnd(14)}${String(image[key])}`);
}

async function runDemo(api: string, folder: string): Promise<void> {
  step('Make a disk image');
  const { path, diskFormat } = makeDiskImage(folder);
  tell(`${path} (${diskFormat}, ${inMiB(statSync(path).size)})`);

  const images = `${api}/v2/images`;
  const body = JSON.stringify({
    name: `demo ${basename(path)}`,
    disk_format: diskFormat,
    container_format: 'bare',
  });
  step('Create the image', `curl -X POST -H 'Content-Type: application/json' -d '${body}' ${images}`);
  const headers = { 'content-type': 'application/json' };
  const created = (await (await send('POST', images, 201, { headers, body })).json()) as Image;
  tell(`id ${created.id}, status ${String(created['status'])}`);

  const image = `${images}/${created.id}`;
  step('Upload its data', `curl -T ${path} -H 'Content-Type: application/octet-stream' ${image}/file`);
  const octets = { 'content-type': 'application/octet-stream' };
  await send('PUT', `${image}/file`, 204, { headers: octets, body: await openAsBlob(path) });

  step('List the images', `curl ${images}`);
  const list = (await (await send('GET', images, 200)).json()) as { images: Image[] };
  for (const { id, name, status } of list.images)
    tell(`  ${id}  ${String(status).padEnd(8)} ${String(name)}`);

  step('Show it', `curl ${image}`);
  showImage((await (await send('GET', image, 200)).json()) as Image);

  step('Download its data', `curl -o copy.${diskFormat} ${image}/file`);
  const copy = new Uint8Array(await (await send('GET', `${image}/file`, 200)).arrayBuffer());

  step('Compare');
  const [before, after] = [sha512(readFileSync(path)), sha512(copy)];
  if (before !== after) throw new Error(`What came back differs: sha512 ${after} instead of ${before}`);
  tell(`${inMiB(copy.length)} came back, byte for byte the same (sha512 ${after.slice(0, 16)}…)`);

  step('Delete it', `curl -X DELETE ${image}`);
  await send('DELETE', image, 204);
  await send('GET', image, 404);
}

const folder = mkdtempSync(join(tmpdir(), 'glimpse-demo-'));
try {
  const service = await findOrStartService();
  console.log(`Glimpse at ${service.url}${service.isOurs ? ' (started for this demo)' : ''}`);
  try {
    await runDemo(service.url, folder);
    console.log('\nAll as it should be.');
  } finally {
    await service.end();
  }
} catch (error) {
  console.error(`\nThe demo failed: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}

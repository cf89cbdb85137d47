import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataServer, type Mode } from '@glimpse/testing';
import { download, upload } from './bytes.js';
import { startRawServer } from './raw-limits.js';
import { type Row, median, percent, round } from './report.js';
import { createImage, deleteImage, startTarget } from './service.js';

const MIB = 1 << 20;
const CLIENTS = 16;

interface CacheBench {
  readonly mode: Mode;
  readonly mebibytes: number;
  readonly rounds: number;
}

async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Creates an image whose data is on the web server. */
async function remoteImage(url: string, dataUrl: string, sha256: string): Promise<string> {
  const id = await createImage(url);
  const answer = await fetch(`${url}/v2/images/${id}/locations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      url: dataUrl,
      validation_data: { os_hash_algo: 'sha256', os_hash_value: sha256 },
    }),
  });
  if (answer.status !== 202) throw new Error(`locations answered ${answer.status}: ${await answer.text()}`);
  await waitUntil(async () => {
    const image = (await (await fetch(`${url}/v2/images/${id}`)).json()) as { status: string };
    return image.status === 'active';
  });
  return id;
}

/** Downloads from the cache beside a plain Node server that copies a file, and one fetch that many wait for. */
export async function benchCache({ mode, mebibytes, rounds }: CacheBench): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-bench-'));
  const web = await DataServer.start();
  const raw = await startRawServer(folder);
  const cacheDir = join(folder, 'cache');
  const target = await startTarget(mode, {
    GLIMPSE_CACHE_DIR: cacheDir,
    GLIMPSE_CACHE_MAX_BYTES: String(4 * mebibytes * MIB),
    GLIMPSE_STORES: JSON.stringify({
      near: { type: 'file', datadir: join(folder, 'near') },
      web: { type: 'http', allow_private_addresses: true },
    }),
    GLIMPSE_DEFAULT_STORE: 'near',
  });
  const size = mebibytes * MIB;
  const data = randomBytes(size);
  const dataUrl = web.serve('image', data);
  const sha256 = createHash('sha256').update(data).digest('hex');
  const speeds = { raw: [] as number[], hit: [] as number[], shared: [] as number[] };
  try {
    const rawUrl = `${raw.url}/image`;
    await upload(rawUrl, size);
    for (let n = 0; n < rounds; n++) {
      const id = await remoteImage(target.url, dataUrl, sha256);
      const fileUrl = `${target.url}/v2/images/${id}/file`;
      const readsBefore = web.seen.length;
      const start = performance.now();
      await Promise.all(Array.from({ length: CLIENTS }, () => download(fileUrl, size)));
      speeds.shared.push((CLIENTS * mebibytes * 1000) / (performance.now() - start));
      if (web.seen.length !== readsBefore + 1) throw new Error('the store was read more than once');
      await waitUntil(async () => (await readdir(join(cacheDir, 'images'))).includes(id));
      speeds.raw.push(mebibytes / (await download(rawUrl, size)));
      speeds.hit.push(mebibytes / (await download(fileUrl, size)));
      await deleteImage(target.url, id);
    }
  } finally {
    await target.stop();
    raw.stop();
    await web.close();
    await rm(folder, { recursive: true });
  }
  const rawSpeed = median(speeds.raw);
  return [
    { what: `download ${mebibytes} MiB, plain Node from a file`, figure: `${round(rawSpeed)} MiB/s` },
    {
      what: `download ${mebibytes} MiB from the cache`,
      figure: `${round(median(speeds.hit))} MiB/s`,
      ratio: percent(median(speeds.hit), rawSpeed),
      aim: '80 %',
    },
    {
      what: `${CLIENTS} clients at once, one read of the store`,
      figure: `${round(median(speeds.shared))} MiB/s`,
      note: 'all of them together, while the image is fetched and hashed',
    },
  ];
}

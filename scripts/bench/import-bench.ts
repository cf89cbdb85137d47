import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Mode } from '@glimpse/testing';
import { startRawServer } from './raw-limits.js';
import { type Row, median, percent, round } from './report.js';
import { type Target, createImage, deleteImage, startTarget } from './service.js';

const MIB = 1 << 20;
const POLL_MS = 20;
const run = promisify(execFile);

/** What is imported: a raw disk without a hole, and the same in qcow2. */
interface Disks {
  readonly folder: string;
  readonly raw: string;
  readonly qcow2: string;
  readonly mebibytes: number;
}

async function makeDisks(folder: string, mebibytes: number): Promise<Disks> {
  const disks = { folder, raw: join(folder, 'disk'), qcow2: join(folder, 'disk.qcow2'), mebibytes };
  const file = await open(disks.raw, 'w');
  const piece = randomBytes(MIB);
  for (let n = 0; n < mebibytes; n++) {
    piece.writeUInt32LE(n);
    await file.write(piece);
  }
  await file.close();
  await run('qemu-img', ['convert', '-O', 'qcow2', disks.raw, disks.qcow2]);
  return disks;
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** The file written once more, durably. */
const copyFile = async ({ folder, raw }: Disks): Promise<number> => {
  const copy = join(folder, 'copy');
  const seconds = await secondsOf(async () => {
    await run('cp', ['--reflink=never', raw, copy]);
    await run('sync', [copy]);
  });
  await rm(copy);
  return seconds;
};

const convertAlone = async ({ folder, qcow2 }: Disks): Promise<number> => {
  const converted = join(folder, 'converted');
  const seconds = await secondsOf(async () => {
    await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', qcow2, converted]);
    await run('sync', [converted]);
  });
  await rm(converted);
  return seconds;
};

async function post(url: string, body: object): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (response.status !== 202)
    throw new Error(`import answered ${response.status}: ${await response.text()}`);
}

async function stage(url: string, path: string): Promise<void> {
  const { size } = await stat(path);
  const sent = request(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'content-length': size },
  });
  const answered = new Promise<number>((resolve, reject) => {
    sent.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.once('error', reject);
  });
  await pipeline(createReadStream(path, { highWaterMark: MIB }), sent);
  const status = await answered;
  if (status !== 204) throw new Error(`stage answered ${status}`);
}

/** Resolves when no import works on the image any more, and it is active. */
async function imported(url: string): Promise<void> {
  for (;;) {
    const image = (await (await fetch(url)).json()) as Record<string, unknown>;
    const isBusy = image['status'] === 'importing' || image['os_glance_import_task'] !== undefined;
    if (!isBusy && image['status'] === 'active') return;
    if (!isBusy) throw new Error(`the import failed: ${JSON.stringify(image)}`);
    await delay(POLL_MS);
  }
}

/** Seconds from the request for an import to the end of it. */
async function importInto(url: string, method: object, more: object = {}): Promise<number> {
  return secondsOf(async () => {
    await post(`${url}/import`, { method, ...more });
    await imported(url);
  });
}

async function measureImports(target: Target, disks: Disks, webUrl: string, onRound: Measure): Promise<void> {
  const add = async () => `${target.url}/v2/images/${await createImage(target.url)}`;
  const staged = await add();
  await stage(`${staged}/stage`, disks.raw);
  onRound('import by glance-direct', await importInto(staged, { name: 'glance-direct' }));
  onRound('copy to another store', await importInto(staged, { name: 'copy-image' }, { stores: ['two'] }));
  const downloaded = await add();
  const download = { name: 'web-download', uri: `${webUrl}/disk` };
  onRound('import by web-download', await importInto(downloaded, download));
  for (const url of [staged, downloaded]) await deleteImage(target.url, url.split('/').at(-1)!);
}

async function measureConversion(target: Target, disks: Disks, onRound: Measure): Promise<void> {
  const id = await createImage(target.url, { disk_format: 'qcow2' });
  const url = `${target.url}/v2/images/${id}`;
  await stage(`${url}/stage`, disks.qcow2);
  onRound('import converted to raw', await importInto(url, { name: 'glance-direct' }));
  await deleteImage(target.url, id);
}

type Measure = (what: string, seconds: number) => void;

const RAW: Readonly<Record<string, string>> = {
  'import by glance-direct': 'plain copy of the file',
  'import by web-download': 'plain copy of the file',
  'copy to another store': 'plain copy of the file',
  'import converted to raw': 'qemu-img convert alone',
};

function rowsOf(measured: ReadonlyMap<string, number[]>, mebibytes: number): Row[] {
  const speedOf = (what: string) => mebibytes / median(measured.get(what) ?? []);
  return [...measured.keys()].map((what) => {
    const raw = RAW[what];
    return {
      what: `${what}, ${mebibytes} MiB`,
      figure: `${round(speedOf(what))} MiB/s`,
      ...(raw === undefined ? {} : { ratio: percent(speedOf(what), speedOf(raw)), note: `of ${raw}` }),
    };
  });
}

/** Imports beside a plain copy of the same file, and beside the conversion alone. Staging is not part of the time. */
export async function benchImport(
  mode: Mode,
  { mebibytes, rounds }: { readonly mebibytes: number; readonly rounds: number },
): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-bench-'));
  const measured = new Map<string, number[]>();
  const onRound: Measure = (what, seconds) => measured.set(what, [...(measured.get(what) ?? []), seconds]);
  const stores = Object.fromEntries(
    ['one', 'two'].map((id) => [id, { type: 'file', datadir: join(folder, id) }]),
  );
  const env = {
    GLIMPSE_STORES: JSON.stringify(stores),
    GLIMPSE_DEFAULT_STORE: 'one',
    GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_ADDRESSES: '127.0.0.1',
    GLIMPSE_IMPORT_WEB_DOWNLOAD_ALLOWED_PORTS: '',
  };
  await mkdir(join(folder, 'web'));
  const disks = await makeDisks(join(folder, 'web'), mebibytes);
  const web = await startRawServer(disks.folder);
  const plain = await startTarget(mode, env);
  const converting = await startTarget(mode, { ...env, GLIMPSE_IMPORT_STEPS: 'image_conversion' });
  try {
    for (let n = 0; n < rounds; n++) {
      onRound('plain copy of the file', await copyFile(disks));
      await measureImports(plain, disks, web.url, onRound);
      onRound('qemu-img convert alone', await convertAlone(disks));
      await measureConversion(converting, disks, onRound);
    }
    return rowsOf(measured, mebibytes);
  } finally {
    web.stop();
    await plain.stop();
    await converting.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

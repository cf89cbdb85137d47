import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { download, upload } from './bytes.js';
import { measureCpu } from './processes.js';
import { diskSpeed, hashSpeed, startRawServer } from './raw-limits.js';
import { type Row, median, percent, round } from './report.js';
import { type Target, createImage, deleteImage } from './service.js';

const MIB = 1 << 20;

/** Speeds in MiB/s of one round, with the CPU seconds that the server used for a GiB. */
interface Measured {
  readonly speed: number;
  readonly cpuPerGibibyte: number;
}

/** Something that takes and gives bytes: the plain server, or Glimpse. */
interface Place {
  readonly name: string;
  add(): Promise<string>;
  remove(url: string): Promise<unknown>;
  measure<T>(work: () => Promise<T>): Promise<{ result: T; cpu: number }>;
}

function glimpsePlace(name: string, target: Target): Place {
  return {
    name,
    add: async () => `${target.url}/v2/images/${await createImage(target.url)}/file`,
    remove: (url) => deleteImage(target.url, url.split('/').at(-2)!),
    measure: (work) => target.measure(work),
  };
}

async function measureOnce(
  place: Place,
  sizeBytes: number,
  parallel: number,
): Promise<{ up: Measured; down: Measured }> {
  const urls = await Promise.all(Array.from({ length: parallel }, () => place.add()));
  const mebibytes = (sizeBytes / MIB) * parallel;
  const timed = async (transfer: (url: string) => Promise<number>): Promise<Measured> => {
    const start = performance.now();
    const { cpu } = await place.measure(() => Promise.all(urls.map(transfer)));
    const seconds = (performance.now() - start) / 1000;
    return { speed: mebibytes / seconds, cpuPerGibibyte: cpu / (mebibytes / 1024) };
  };
  const up = await timed((url) => upload(url, sizeBytes));
  const down = await timed((url) => download(url, sizeBytes));
  await Promise.all(urls.map((url) => place.remove(url)));
  return { up, down };
}

const medianOf = (all: readonly Measured[]): Measured => ({
  speed: median(all.map(({ speed }) => speed)),
  cpuPerGibibyte: median(all.map(({ cpuPerGibibyte }) => cpuPerGibibyte)),
});

const AIMS: Record<string, { up: string; down: string }> = {
  'md5 + sha512': { up: '60 %', down: '80 %' },
  'sha256 alone': { up: '90 %', down: '80 %' },
};

function rowsFor(measured: Map<string, { up: Measured[]; down: Measured[] }>, label: string): Row[] {
  const raw = measured.get('plain Node')!;
  return (['up', 'down'] as const).flatMap((direction) =>
    [...measured].map(([name, results]): Row => {
      const { speed, cpuPerGibibyte } = medianOf(results[direction]);
      const aim = AIMS[name]?.[direction];
      return {
        what: `${direction === 'up' ? 'upload' : 'download'} ${label}, ${name}`,
        figure: `${round(speed)} MiB/s`,
        ...(name === 'plain Node' ? {} : { ratio: percent(speed, medianOf(raw[direction]).speed) }),
        ...(aim === undefined ? {} : { aim }),
        note: `${round(cpuPerGibibyte, 1)} s CPU a GiB`,
      };
    }),
  );
}

/** Uploads and downloads beside a plain Node server that copies between socket and file. */
export async function benchBytes(
  targets: { both: Target; sha256: Target | undefined },
  options: { mebibytes: number; rounds: number },
): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-bench-'));
  const raw = await startRawServer(folder);
  const places: Place[] = [
    {
      name: 'plain Node',
      add: () => Promise.resolve(`${raw.url}/${randomUUID()}`),
      remove: (url) => fetch(url, { method: 'DELETE' }),
      measure: (work) => measureCpu([raw.pid], work),
    },
    glimpsePlace('md5 + sha512', targets.both),
    ...(targets.sha256 === undefined ? [] : [glimpsePlace('sha256 alone', targets.sha256)]),
  ];
  const rows: Row[] = [
    { what: 'md5, one core', figure: `${round(hashSpeed('md5'))} MiB/s` },
    { what: 'sha512, one core', figure: `${round(hashSpeed('sha512'))} MiB/s` },
    { what: 'sha256, one core', figure: `${round(hashSpeed('sha256'))} MiB/s` },
    { what: 'disk, synced', figure: `${round(await diskSpeed(folder))} MiB/s` },
  ];
  try {
    for (const parallel of [1, 4]) {
      const sizeBytes = options.mebibytes * MIB;
      const measured = new Map<string, { up: Measured[]; down: Measured[] }>(
        places.map(({ name }) => [name, { up: [], down: [] }]),
      );
      for (let n = 0; n < options.rounds; n++)
        for (const place of places) {
          const { up, down } = await measureOnce(place, sizeBytes, parallel);
          measured.get(place.name)!.up.push(up);
          measured.get(place.name)!.down.push(down);
        }
      rows.push(...rowsFor(measured, `${parallel === 1 ? '' : '4 × '}${sizeBytes / MIB} MiB`));
    }
  } finally {
    raw.stop();
    await rm(folder, { recursive: true });
  }
  return rows;
}

/**
 * How fast bytes go from a socket through the pipeline into a file, beside a plain copy on the same machine in the same
 * run: `sh scripts/run --build scripts/bench/hash-pipeline.ts [MiB] [rounds] [parallel]`. docs/adr/0005 has figures.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { upload } from './bytes.js';
import { measureCpu } from './processes.js';
import { median, percent, round } from './report.js';

const [mebibytes = 1024, rounds = 3, parallel = 1] = process.argv.slice(2).map(Number);
const ways = process.env['GLIMPSE_BENCH_WAYS']?.split(',') ?? [
  'copy',
  'drop',
  'both-drop',
  'both-file',
  'md5-sha256-file',
  'sha512-file',
  'sha256-file',
];

const folder = await mkdtemp(join(tmpdir(), 'glimpse-bench-'));
const server = spawn(process.execPath, [join(import.meta.dirname, 'pipeline-server.mjs'), folder], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [port] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];

const speeds = new Map<string, number[]>();
const cpuSeconds = new Map<string, number[]>();
const record = (into: Map<string, number[]>, way: string, figure: number) =>
  into.set(way, [...(into.get(way) ?? []), figure]);

try {
  for (let n = 0; n < rounds; n++)
    for (const way of ways) {
      const start = performance.now();
      const { cpu } = await measureCpu([server.pid!], () =>
        Promise.all(
          Array.from({ length: parallel }, () =>
            upload(`http://127.0.0.1:${port}/${way}`, mebibytes * 1_048_576),
          ),
        ),
      );
      const total = mebibytes * parallel;
      record(speeds, way, total / ((performance.now() - start) / 1000));
      record(cpuSeconds, way, cpu / (total / 1024));
    }
} finally {
  server.kill('SIGTERM');
  await rm(folder, { recursive: true });
}

const plain = median(speeds.get('copy') ?? []);
for (const [way, figures] of speeds)
  console.log(
    [
      way.padEnd(16),
      `${round(median(figures))} MiB/s`.padStart(12),
      percent(median(figures), plain).padStart(7),
      `${round(median(cpuSeconds.get(way) ?? []), 2)} s CPU a GiB`.padStart(18),
      `  (${figures.map((figure) => round(figure)).join(', ')})`,
    ].join(' '),
  );

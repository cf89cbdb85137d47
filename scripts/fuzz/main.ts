/**
 * `npm run fuzz [-- --images=1000000] [-- --seed=1]`: damaged and hostile images, made from small ones of every format, each
 * inspected whole and in pieces. Ends with figures, or with the first image that was not treated as it must be.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '@glimpse/config';
import { SeededRandom, aHostileImage, inspectHostileImage } from '@glimpse/testing';
import { root } from '../services/state.js';

const REPORT_EVERY = 100_000;
const MIB = 1_048_576;

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
  },
});
const count = Number(values.images);
const seed = Number(values.seed);
if (![count, seed].every((number) => Number.isSafeInteger(number) && number > 0))
  throw new Error('--images and --seed must be whole numbers above 0');

const { formats } = loadConfig({});
const memory = () => Math.round(process.memoryUsage().rss / MIB);
const started = performance.now();
let refused = 0;
let slowestMs = 0;

function inspect(number: number): void {
  // Each image has a seed of its own, so that one of a million can be made again at once.
  const random = new SeededRandom(seed * 4_294_967 + number);
  const image = aHostileImage(random);
  const before = performance.now();
  try {
    if (inspectHostileImage(image, random, formats)) refused++;
  } catch (error) {
    const folder = join(root, '.glimpse', 'fuzz');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `seed-${seed}-${number}`), image);
    throw new Error(`Image ${number} of seed ${seed} (kept in ${folder})`, { cause: error });
  }
  slowestMs = Math.max(slowestMs, performance.now() - before);
}

for (let number = 1; number <= count; number++) {
  inspect(number);
  if (number % REPORT_EVERY === 0) console.error(`${number} images, ${memory()} MiB`);
}
const seconds = (performance.now() - started) / 1000;
console.log(
  `${count} images in ${seconds.toFixed(0)} s: ${refused} refused, ${count - refused} accepted, ` +
    `the slowest ${slowestMs.toFixed(0)} ms, ${memory()} MiB of memory`,
);

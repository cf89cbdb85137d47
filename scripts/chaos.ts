/** `npm run chaos [-- --kills 200 --seed N --mode distributed]`: the long run of the faults. */
import { randomInt, randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { describeReport } from '../test/fault/chaos/report.js';
import { runChaos } from '../test/fault/chaos/run-chaos.js';
import { killLeftovers } from './test/leftovers.js';

const EACH = 10;
const INTERRUPTED = 130;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    mode: { type: 'string', default: 'distributed' },
  },
});
const { seed, mode } = values;
const kills = Number(values.kills);
if (!Number.isInteger(kills) || kills < 0) throw new Error('--kills is a number of faults');
if (mode !== 'distributed' && mode !== 'embedded') throw new Error('--mode is distributed or embedded');

const mark = randomUUID();
process.env['GLIMPSE_TEST_RUN'] = mark;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    killLeftovers(`GLIMPSE_TEST_RUN=${mark}`);
    process.exit(INTERRUPTED);
  });

console.log(`Chaos: ${kills} faults, ${mode}; to repeat it: --seed ${seed}`);
const started = performance.now();
const onFault = (number: number, fault: string) => {
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  if (number % EACH === 0) console.log(`${seconds} s: ${number} of ${kills} (${fault})`);
};
const report = await runChaos({ mode, kills, seed, onFault });
console.log(describeReport(report));
if (report.violations.length > 0) process.exitCode = 1;

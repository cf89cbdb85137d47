/** `npm run chaos [-- --kills 200 --seed N --mode distributed]`: the long run of the faults. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { describeReport } from '../test/fault/chaos/report.js';
import { runChaos } from '../test/fault/chaos/run-chaos.js';

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
console.log(`Chaos: ${kills} faults, ${mode}; to repeat it: --seed ${seed}`);
const report = await runChaos({ mode, kills, seed });
console.log(describeReport(report));
if (report.violations.length > 0) process.exitCode = 1;

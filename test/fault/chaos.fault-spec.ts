import { randomInt } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { describeReport } from './chaos/report.js';
import { runChaos } from './chaos/run-chaos.js';

/** `npm run chaos -- --kills 200` is the long run; docs say more. */
const KILLS = { distributed: 20, embedded: 6 } as const;
const TEST_TIMEOUT_MS = 400_000;

/** Leases that run out within the run, so that work is taken over all the time. */
const env = {
  GLIMPSE_LEASES_INSTANCE_LEASE_MS: '5000',
  GLIMPSE_LEASES_REAPER_INTERVAL_MS: '1000',
  GLIMPSE_JOBS_LEASE_MS: '5000',
};

describe('a service whose parts are killed at random', () => {
  for (const mode of ['distributed', 'embedded'] as const)
    it(
      `loses nothing that it acknowledged, and comes to rest (${mode})`,
      async () => {
        const seed = process.env['GLIMPSE_CHAOS_SEED'] ?? String(randomInt(1_000_000));
        process.stderr.write(`chaos, ${mode}: to repeat it set GLIMPSE_CHAOS_SEED=${seed}\n`);

        const report = await runChaos({ mode, kills: KILLS[mode], seed, env });

        process.stderr.write(`${describeReport(report)}\n`);
        expect(report.violations).toEqual([]);
      },
      TEST_TIMEOUT_MS,
    );
});

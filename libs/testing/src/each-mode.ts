import { afterAll, beforeAll, describe } from '@jest/globals';
import { type Glimpse, type GlimpseOptions, type Mode, startGlimpse } from './glimpse.js';

const START_TIMEOUT_MS = 60_000;

/** Runs the same tests embedded and distributed, each against a fresh Glimpse: `glimpse()` gives it to a test. */
export function eachMode(
  name: string,
  tests: (glimpse: () => Glimpse, mode: Mode) => void,
  options: Omit<GlimpseOptions, 'mode'> = {},
): void {
  for (const mode of ['embedded', 'distributed'] as const)
    describe(`${name} (${mode})`, () => {
      let running: Glimpse | undefined;
      beforeAll(async () => {
        running = await startGlimpse({ ...options, mode });
      }, START_TIMEOUT_MS);
      afterAll(() => running?.stop(), START_TIMEOUT_MS);
      tests(() => {
        if (running === undefined) throw new Error('Glimpse is only there while a test runs');
        return running;
      }, mode);
    });
}

import { type Glimpse, type GlimpseOptions, type Mode, startGlimpse } from './glimpse.js';

// Jest's globals, not an import of them: that would throw outside of Jest, and the bench uses this library too.
declare const afterAll: (typeof import('@jest/globals'))['afterAll'];
declare const beforeAll: (typeof import('@jest/globals'))['beforeAll'];
declare const describe: (typeof import('@jest/globals'))['describe'];

const START_TIMEOUT_MS = 180_000;

type Options = Omit<GlimpseOptions, 'mode'>;

/**
 * Runs the same tests embedded and distributed, each against a fresh Glimpse: `glimpse()` gives it to a test. `options`
 * may be made just before it starts.
 */
export function eachMode(
  name: string,
  tests: (glimpse: () => Glimpse, mode: Mode) => void,
  options: Options | (() => Promise<Options>) = {},
): void {
  for (const mode of ['embedded', 'distributed'] as const)
    describe(`${name} (${mode})`, () => {
      let running: Glimpse | undefined;
      beforeAll(async () => {
        const chosen = typeof options === 'function' ? await options() : options;
        running = await startGlimpse({ ...chosen, mode });
      }, START_TIMEOUT_MS);
      afterAll(() => running?.stop(), START_TIMEOUT_MS);
      tests(() => {
        if (running === undefined) throw new Error('Glimpse is only there while a test runs');
        return running;
      }, mode);
    });
}

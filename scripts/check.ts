/** `npm run check`: everything that needs no server, in under a minute. Runs all of it and names what failed. */
import { spawnSync } from 'node:child_process';
import { root } from './services/state.js';

const bin = (name: string) => `node_modules/.bin/${name}`;
const script = (...args: string[]) => [process.execPath, ...process.execArgv, ...args];

const steps: Readonly<Record<string, readonly string[]>> = {
  format: [bin('prettier'), '--check', '--log-level=warn', '.'],
  lint: [bin('oxlint'), '--type-aware', '--deny-warnings', '.'],
  types: [process.execPath, 'node_modules/typescript-native/bin/tsc', '--noEmit', '-p', 'tsconfig.json'],
  boundaries: [
    bin('depcruise'),
    '--config',
    '.dependency-cruiser.mjs',
    'apps',
    'libs',
    'scripts',
    'test',
    'examples',
  ],
  'generated files': script('scripts/generate-docs.ts', '--check'),
  'unit tests': script('scripts/test/main.ts', 'unit', '--silent'),
};

const failed: string[] = [];
for (const [name, [command, ...args]] of Object.entries(steps)) {
  const start = performance.now();
  const { status } = spawnSync(command!, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (status !== 0) failed.push(name);
}
console.log(failed.length === 0 ? 'All checks are green.' : `Not green: ${failed.join(', ')}`);
if (failed.length > 0) process.exitCode = 1;

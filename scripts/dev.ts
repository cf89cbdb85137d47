/** `npm run dev`: the services in one process, built and started anew whenever a source changes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './services/state.js';

const start = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });

const children = [
  start(['node_modules/@nestjs/cli/bin/nest.js', 'build', '--watch', '--preserveWatchOutput']),
  start([
    '--watch-preserve-output',
    ...['apps', 'libs'].map((folder) => `--watch-path=${join('dist', folder)}`),
    join('dist', 'apps', 'embedded', 'src', 'main.js'),
  ]),
];

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => children.forEach((child) => child.kill(signal)));
for (const child of children) child.once('exit', () => children.forEach((other) => other.kill()));

/**
 * `npm start`: the three services in one process. In a terminal its log is shown in short lines for people; else the
 * JSON lines go to standard output as they are, and what is meant for people to standard error.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { formatLogLine, parseLogLine } from './log-lines.js';
import { root } from './services/state.js';

const main = join(root, 'dist', 'apps', 'embedded', 'src', 'main.js');

async function welcome(url: string): Promise<string> {
  // Loaded while the services start, not before.
  const { loadConfig } = await import('@glimpse/config');
  const { dataDir, databaseUrl, stores } = loadConfig();
  const places = Object.entries(stores).map(([id, { type, datadir }]) =>
    typeof datadir === 'string' ? datadir : `${id} (${type})`,
  );
  return [
    '',
    `Glimpse listens on ${url}`,
    `  data          ${dataDir}`,
    `  database      ${databaseUrl.replace(/\/\/[^@/]*@/, '//')}`,
    `  image data    ${places.join(', ')}`,
    '',
    'Try next, in another terminal:',
    `  curl ${url}/v2/images`,
    '  npm run demo',
    `  openstack --os-auth-type none --os-endpoint ${url} image list`,
    '',
    'Ctrl-C ends it.',
    '',
    '',
  ].join('\n');
}

const child = spawn(process.execPath, [main], {
  // Compiled code is kept for the next start: a fifth of its time.
  env: { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compiled'), ...process.env },
  stdio: ['ignore', 'pipe', 'inherit'],
});
// A terminal that is closed ends what runs in it; from elsewhere SIGHUP makes the services read their policy again.
const onHangUp = process.stdout.isTTY ? 'SIGTERM' : 'SIGHUP';
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
process.on('SIGHUP', () => child.kill(onHangUp));

for await (const text of createInterface({ input: child.stdout })) {
  const line = parseLogLine(text);
  process.stdout.write(process.stdout.isTTY && line !== undefined ? formatLogLine(line) : `${text}\n`);
  if (line?.msg === 'listening' && line.url !== undefined)
    (process.stdout.isTTY ? process.stdout : process.stderr).write(await welcome(line.url));
}
process.exitCode =
  child.exitCode ?? (await new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1))));

/**
 * `npm start`: the three services in one process. In a terminal its log is shown in short lines for people; else the
 * JSON lines go to standard output as they are, and what is meant for people to standard error.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadConfig } from '@glimpse/config';
import { formatLogLine, parseLogLine } from './log-lines.js';

const main = join(import.meta.dirname, '..', 'dist', 'apps', 'embedded', 'src', 'main.js');

function welcome(url: string): string {
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

const child = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));

for await (const text of createInterface({ input: child.stdout })) {
  const line = parseLogLine(text);
  process.stdout.write(process.stdout.isTTY && line !== undefined ? formatLogLine(line) : `${text}\n`);
  if (line?.msg === 'listening' && line.url !== undefined)
    (process.stdout.isTTY ? process.stdout : process.stderr).write(welcome(line.url));
}
process.exitCode =
  child.exitCode ?? (await new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1))));

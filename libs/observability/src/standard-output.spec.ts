import { spawn } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';

const LOGGERS = 4;
const LINES_EACH = 4_000;

/** Loggers that write more than a pipe holds, all at the same time. */
const program = `
  import { createLogger } from ${JSON.stringify(new URL('./logger.ts', import.meta.url))};
  const loggers = Array.from({ length: ${LOGGERS} }, (_, n) => createLogger('service-' + n, { level: 'info' }));
  for (let n = 0; n < ${LINES_EACH}; n++) {
    for (const logger of loggers) logger.info({ pad: 'x'.repeat(300) }, 'line');
    if (n % 10 === 0) await new Promise(setImmediate);
  }
`;

describe('The loggers of one process', () => {
  it('keep their lines apart on a pipe that is read slowly', async () => {
    const hooks = new URL('../../../scripts/typescript.mjs', import.meta.url).href;
    const flags = ['--experimental-transform-types', '--no-warnings', '--import', hooks];
    // A pipe that is read in small pieces, hence mostly full. What Node itself gives a child is a socket.
    const { stdout } = spawn(
      'sh',
      [
        '-c',
        '"$0" "$@" | dd bs=100 2>/dev/null',
        process.execPath,
        ...flags,
        '--input-type=module',
        '--eval',
        program,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );

    let text = '';
    for await (const chunk of stdout) text += String(chunk);

    const counts = new Map<string, number>();
    for (const line of text.trimEnd().split('\n')) {
      const { service } = JSON.parse(line) as { service: string };
      counts.set(service, (counts.get(service) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual(Array.from({ length: LOGGERS }, () => LINES_EACH));
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';

const LOGGERS = 4;
const LINES_EACH = 4_000;

const logger = JSON.stringify(new URL('./logger.ts', import.meta.url));

/** Loggers that write more than a pipe holds, all at the same time. */
const manyLines = `
  import { createLogger } from ${logger};
  const loggers = Array.from({ length: ${LOGGERS} }, (_, n) => createLogger('service-' + n, { level: 'info' }));
  for (let n = 0; n < ${LINES_EACH}; n++) {
    for (const logger of loggers) logger.info({ pad: 'x'.repeat(300) }, 'line');
    if (n % 10 === 0) await new Promise(setImmediate);
  }
`;

/** Fills its standard output, says a last word while that is full, and goes on in silence until standard input ends. */
const lastWord = `
  import { createLogger } from ${logger};
  const logger = createLogger('service', { level: 'info' });
  for (let n = 0; n < 10_000; n++) logger.info({ pad: 'x'.repeat(300) }, 'line');
  setTimeout(() => {
    logger.info('last');
    setTimeout(() => console.error('silent'), 50);
  }, 50);
  process.stdin.resume();
`;

/** The module's text as the arguments of Node. */
function argumentsFor(program: string): string[] {
  const hooks = new URL('../../../scripts/typescript.mjs', import.meta.url).href;
  const flags = ['--experimental-transform-types', '--no-warnings', '--import', hooks];
  return [...flags, '--input-type=module', '--eval', program];
}

describe('The loggers of one process', () => {
  it('keep their lines apart on a pipe that is read slowly', async () => {
    // A pipe that is read in small pieces, hence mostly full. What Node itself gives a child is a socket.
    const { stdout } = spawn(
      'sh',
      ['-c', '"$0" "$@" | dd bs=100 2>/dev/null', process.execPath, ...argumentsFor(manyLines)],
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

  it('hold no line back until the next one comes', async () => {
    const { stdin, stdout, stderr } = spawn(process.execPath, argumentsFor(lastWord), { timeout: 60_000 });
    await once(stderr, 'data');
    let text = '';
    for await (const chunk of stdout) {
      text += String(chunk);
      // The process goes on until then.
      if (text.includes('"msg":"last"')) stdin.end();
    }
    expect(text.trimEnd().split('\n').at(-1)).toContain('"msg":"last"');
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { table } from './output.js';
import { createProgram } from './program.js';
import { describeReconcileCommands } from './reconcile.conformance.js';
import { describeManage } from './manage.conformance.js';
import { describeMetadefs } from './metadefs/metadefs.conformance.js';

async function makePlace() {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-manage-'));
  return {
    url: `sqlite:${join(folder, 'test.sqlite')}`,
    remove: () => rm(folder, { recursive: true }),
  };
}

describeManage('SQLite', makePlace);
describeMetadefs('SQLite', makePlace);
describeReconcileCommands('SQLite', makePlace);

describe('the command line', () => {
  it('shows lists as tables', () => {
    const rows = [
      { id: 'a', image: null, error: 'two\nlines' },
      { id: 'long', image: 'i', error: '' },
    ];

    expect(table(rows)).toBe('ID    IMAGE  ERROR\na     -      two lines\nlong  i');
  });

  it.each([
    ['nonsense'],
    ['jobs list --status maybe'],
    ['purge --max-rows many'],
    ['jobs retry'],
    ['export-metadefs'],
    ['reconcile --grace-seconds -1'],
    ['quarantine restore'],
    ['webhooks deliveries --status maybe'],
  ])('refuses `%s`', async (line) => {
    const program = createProgram();
    for (const command of [program, ...program.commands, ...program.commands.flatMap((one) => one.commands)])
      command.configureOutput({ writeErr: () => undefined });

    await expect(program.parseAsync(line.split(' '), { from: 'user' })).rejects.toMatchObject({
      exitCode: 1,
    });
  });
});

import type { Replay } from '@glimpse/bus';
import type { Command } from 'commander';
import { wholeNumber } from '../numbers.js';
import { OperatorError } from '../operator-error.js';
import { type OutputOptions, report, reportList } from '../output.js';
import { withEachBus } from '../with-services.js';

interface ListOptions extends OutputOptions {
  readonly limit: number;
}
interface ReplayOptions extends OutputOptions {
  readonly all?: boolean;
}

export function addDeadLetters(program: Command): void {
  const deadLetters = program.command('dead-letters').description('messages that no service could handle');
  deadLetters
    .command('list')
    .description('list them, the oldest first')
    .option('--limit <n>', 'at most this many', wholeNumber(1), 100)
    .option('--json', 'answer in JSON, with the bodies')
    .action(async (options: ListOptions) => {
      const found = (await withEachBus((bus) => bus.deadLetters.list(options.limit)))
        .flat()
        .slice(0, options.limit);
      const rows = found.map(({ id, name, queue, reason, attempts, diedAt, notReplayable, body }) => ({
        id,
        event: name,
        queue,
        attempts,
        died: diedAt,
        reason,
        not_replayable: notReplayable,
        ...(options.json === true ? { body } : {}),
      }));
      reportList(options, rows, 'No dead letters.');
    });
  deadLetters
    .command('replay')
    .description('put dead letters back into the queues they were taken from')
    .argument('[ids...]', 'as `dead-letters list` shows them')
    .option('--all', 'every one of them')
    .option('--json', 'answer in JSON')
    .action(async (ids: string[], options: ReplayOptions) => {
      if ((options.all === true) === ids.length > 0)
        throw new OperatorError('name dead letters, or say --all');
      const selection = options.all === true ? 'all' : { ids };
      reportReplay(options, await withEachBus((bus) => bus.deadLetters.replay(selection)), ids);
    });
}

/** Throws where one that was named is not put back. */
function reportReplay(options: ReplayOptions, replays: readonly Replay[], ids: readonly string[]): void {
  const replayed = replays.reduce((sum, one) => sum + one.replayed, 0);
  const left = replays.flatMap((one) => one.left);
  const lines = left.map(({ id, reason }) => `${id} is not put back: ${reason}`);
  report(options, { replayed, left }, [`Replayed ${replayed}.`, ...lines].join('\n'));
  if (ids.length === 0) return;
  const unknown = ids.length - replayed - left.length;
  if (unknown > 0) throw new OperatorError(`${unknown} of them were not found`);
  if (left.length > 0) throw new OperatorError(`${left.length} of them were not put back`);
}

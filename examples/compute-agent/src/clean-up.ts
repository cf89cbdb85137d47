import { textOf } from './agent-error.js';
import type { Commands } from './commands.js';
import { type Disk, bitmapsOf } from './disk.js';
import { jobsOf, until } from './jobs.js';
import { fleeceNode, parseFrozenBitmap, scratchNode, tagIn } from './tag.js';

interface BlockExport {
  readonly id: string;
}

interface NamedNode {
  readonly 'node-name'?: string;
}

/** What a snapshot has made in QEMU, and that is to go. */
export interface Leavings {
  readonly tag: string;
  readonly disk: Disk;
  /**
   * Whether there is an image of that point in time, so that bitmaps go on from there. Else what they had recorded
   * before goes back into them: a bitmap may say of too many blocks that they changed, never of too few.
   */
  readonly isDone: boolean;
  /** A bitmap that the snapshot began, and that means nothing without its image. */
  readonly begunBitmap?: string | undefined;
}

/** The exports of the machine. */
export const exportsOf = (monitor: Commands) =>
  monitor.execute<readonly BlockExport[]>('query-block-exports');

async function endExport(monitor: Commands, tag: string): Promise<void> {
  const isThere = async () => (await exportsOf(monitor)).some(({ id }) => id === tag);
  if (!(await isThere())) return;
  await monitor.execute('block-export-del', { arguments: { id: tag, mode: 'hard' } });
  await until(`the end of the export ${tag}`, async () => !(await isThere()));
}

/** QEMU has one server for all exports; `tag` had one in it. */
async function endServer(monitor: Commands): Promise<void> {
  if ((await exportsOf(monitor)).length === 0) await monitor.execute('nbd-server-stop');
}

async function endJob(monitor: Commands, tag: string): Promise<void> {
  const isThere = async () => (await jobsOf(monitor)).some(({ id }) => id === tag);
  if (!(await isThere())) return;
  await monitor.execute('block-job-cancel', { arguments: { device: tag, force: true } });
  await until(`the end of the job ${tag}`, async () => !(await isThere()));
}

async function removeNode(monitor: Commands, name: string): Promise<void> {
  const nodes = await monitor.execute<readonly NamedNode[]>('query-named-block-nodes', {
    arguments: { flat: true },
  });
  if (nodes.some((node) => node['node-name'] === name))
    await monitor.execute('blockdev-del', { arguments: { 'node-name': name } });
}

async function settleBitmaps(monitor: Commands, leavings: Leavings): Promise<void> {
  const { tag, disk, isDone, begunBitmap } = leavings;
  const { node } = disk;
  const bitmaps = await bitmapsOf(monitor, disk);
  const remove = (name: string) => ({ type: 'block-dirty-bitmap-remove', data: { node, name } });
  const actions: object[] = [];
  for (const { name = '' } of bitmaps) {
    const frozen = parseFrozenBitmap(name);
    if (frozen?.tag === tag) {
      if (!isDone && bitmaps.some((bitmap) => bitmap.name === frozen.bitmap))
        actions.push({
          type: 'block-dirty-bitmap-merge',
          data: { node, target: frozen.bitmap, bitmaps: [name] },
        });
      actions.push(remove(name));
    }
    if (name === begunBitmap && !isDone) actions.push(remove(name));
  }
  if (actions.length > 0) await monitor.execute('transaction', { arguments: { actions } });
}

/**
 * Takes away all that is left of a snapshot, in whatever state it is; nothing of it needs to be there. What can't be
 * removed does not keep the rest; resolves with the reasons.
 */
export async function cleanUp(monitor: Commands, leavings: Leavings, hasServer: boolean): Promise<string[]> {
  const { tag } = leavings;
  const steps: readonly (() => Promise<void>)[] = [
    () => endExport(monitor, tag),
    ...(hasServer ? [() => endServer(monitor)] : []),
    () => endJob(monitor, tag),
    () => removeNode(monitor, fleeceNode(tag)),
    () => removeNode(monitor, scratchNode(tag)),
    () => settleBitmaps(monitor, leavings),
  ];
  const failures: string[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(textOf(error));
    }
  }
  return failures;
}

/** The tags of all that snapshots have left in the machine, or are about to use. */
export async function findTags(monitor: Commands, disk: Disk): Promise<Set<string>> {
  const [jobs, exports, nodes, bitmaps] = [
    await jobsOf(monitor),
    await exportsOf(monitor),
    await monitor.execute<readonly NamedNode[]>('query-named-block-nodes', { arguments: { flat: true } }),
    await bitmapsOf(monitor, disk),
  ];
  const names = [
    ...jobs.map(({ id }) => id),
    ...exports.map(({ id }) => id),
    ...nodes.map((node) => node['node-name'] ?? ''),
  ];
  const tags = [...names.map(tagIn), ...bitmaps.map(({ name = '' }) => parseFrozenBitmap(name)?.tag)];
  return new Set(tags.filter((tag) => tag !== undefined));
}

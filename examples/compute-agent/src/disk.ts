import { AgentError } from './agent-error.js';
import type { Commands } from './commands.js';

interface BlockDevice {
  readonly device: string;
  readonly qdev?: string;
  readonly inserted?: { readonly 'node-name'?: string; readonly drv: string };
}

interface NodeStatistics {
  readonly 'node-name'?: string;
  /** What it is a layer upon. */
  readonly parent?: NodeStatistics;
}

interface NamedNode {
  readonly 'node-name'?: string;
  readonly drv: string;
  readonly image: { readonly 'virtual-size': number };
  readonly 'dirty-bitmaps'?: readonly Bitmap[];
}

/** A record of the blocks that the guest has written since something. */
export interface Bitmap {
  readonly name?: string;
  /** QEMU ended while it was written, so that nobody knows what it should say. */
  readonly inconsistent?: boolean;
  readonly persistent?: boolean;
}

/** The disk of a machine as QEMU's monitor sees it. */
export interface Disk {
  readonly node: string;
  readonly sizeBytes: number;
  /** Whether its format keeps bitmaps, so that they outlive the machine's end. */
  readonly keepsBitmaps: boolean;
}

const nodesOf = (monitor: Commands) =>
  monitor.execute<readonly NamedNode[]>('query-named-block-nodes', { arguments: { flat: true } });

/** The node of the device's disk, below what QEMU puts before it as long as it keeps a point in time. */
async function nodeOf(monitor: Commands, { inserted }: BlockDevice): Promise<string | undefined> {
  const name = inserted?.['node-name'];
  if (inserted?.drv !== 'copy-before-write') return name;
  const all = await monitor.execute<readonly NodeStatistics[]>('query-blockstats', {
    arguments: { 'query-nodes': true },
  });
  return all.find((node) => node['node-name'] === name)?.parent?.['node-name'];
}

/** The disk of that device (`query-block` of the monitor shows them), by its alias, id or node. */
export async function getDisk(monitor: Commands, name: string): Promise<Disk> {
  const names: string[] = [];
  for (const device of await monitor.execute<readonly BlockDevice[]>('query-block')) {
    const { qdev } = device;
    const node = await nodeOf(monitor, device);
    const known = [device.device, qdev, qdev?.match(/^\/machine\/peripheral\/([^/]+)/)?.[1], node];
    names.push(known.filter((one) => one !== undefined && one !== '').join(' or '));
    if (node === undefined || !known.includes(name)) continue;
    const found = (await nodesOf(monitor)).find((named) => named['node-name'] === node);
    if (found !== undefined)
      return { node, sizeBytes: found.image['virtual-size'], keepsBitmaps: found.drv === 'qcow2' };
  }
  throw new AgentError(
    'machine',
    `The machine has no disk named ${name}; it has: ${names.join('; ') || 'none'}`,
  );
}

/** The bitmaps of that disk. */
export async function bitmapsOf(monitor: Commands, { node }: Disk): Promise<readonly Bitmap[]> {
  return (await nodesOf(monitor)).find((named) => named['node-name'] === node)?.['dirty-bitmaps'] ?? [];
}

import { AgentError } from './agent-error.js';
import type { Commands } from './commands.js';

interface BlockDevice {
  readonly device: string;
  readonly qdev?: string;
  readonly inserted?: {
    readonly 'node-name'?: string;
    readonly drv: string;
    readonly image: { readonly 'virtual-size': number };
  };
}

interface NamedNode {
  readonly 'node-name'?: string;
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

/** The disk of that device (`virsh qemu-monitor-command … query-block` shows them), by its alias, id or node. */
export async function getDisk(monitor: Commands, name: string): Promise<Disk> {
  const devices = await monitor.execute<readonly BlockDevice[]>('query-block');
  const namesOf = ({ device, qdev, inserted }: BlockDevice) =>
    [device, qdev, qdev?.match(/^\/machine\/peripheral\/([^/]+)/)?.[1], inserted?.['node-name']].filter(
      (known) => known !== undefined && known !== '',
    );
  const found = devices.find((device) => namesOf(device).includes(name));
  const { inserted } = found ?? {};
  if (inserted?.['node-name'] === undefined) {
    const all = devices.map((device) => namesOf(device).join(' or ')).join('; ');
    throw new AgentError('machine', `The machine has no disk named ${name}; it has: ${all || 'none'}`);
  }
  return {
    node: inserted['node-name'],
    sizeBytes: inserted.image['virtual-size'],
    keepsBitmaps: inserted.drv === 'qcow2',
  };
}

/** The bitmaps of that disk. */
export async function bitmapsOf(monitor: Commands, { node }: Disk): Promise<readonly Bitmap[]> {
  const nodes = await monitor.execute<readonly NamedNode[]>('query-named-block-nodes', {
    arguments: { flat: true },
  });
  return nodes.find((named) => named['node-name'] === node)?.['dirty-bitmaps'] ?? [];
}

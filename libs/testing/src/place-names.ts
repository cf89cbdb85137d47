import { createHash, randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

const PREFIX = 'glimpse_test_';

function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Tells apart whoever has process ids of their own and shares a server: machines, and containers on them. */
const here = createHash('sha256').update(`${hostname()} ${processNamespace()}`).digest('hex').slice(0, 8);

/** A new name for a virtual host, a user or a database, which says what process it belongs to. */
export const newPlaceName = (): string =>
  `${PREFIX}${here}_${process.pid}_${randomUUID().replaceAll('-', '').slice(0, 12)}`;

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether it is a name that {@link newPlaceName} made in a process of this machine that has ended. */
export function isAbandonedPlace(name: string): boolean {
  const [, pid] = new RegExp(`^${PREFIX}${here}_(\\d+)_`).exec(name) ?? [];
  return pid !== undefined && !isRunning(Number(pid));
}

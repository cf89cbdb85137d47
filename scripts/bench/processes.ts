import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** CPU seconds that a process has used so far, user and system together. */
export function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function statusMebibytes(pid: number, name: 'VmHWM' | 'VmRSS'): number {
  const line = new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1024;
}

/** The most memory that a process ever had resident, in MiB. */
export const peakMebibytes = (pid: number): number => statusMebibytes(pid, 'VmHWM');

/** The memory that a process has resident now, in MiB. */
export const residentMebibytes = (pid: number): number => statusMebibytes(pid, 'VmRSS');

/** CPU seconds of all `pids` while `work` ran. */
export async function measureCpu<T>(
  pids: readonly number[],
  work: () => Promise<T>,
): Promise<{ result: T; cpu: number }> {
  const total = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const before = total();
  const result = await work();
  return { result, cpu: total() - before };
}

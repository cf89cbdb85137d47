import { residentMebibytes } from './processes.js';
import { median } from './report.js';

const INTERVAL_MS = 500;
/** Of the work: what a process holds by then is what it needs. */
const SETTLED = 0.1;
/** Samples at either end of the rest are compared by their medians: a collector of garbage makes waves. */
const END_SHARE = 0.3;
/** Growth that is no leak: pages that a collector has not given back. */
const ALLOWED_RATIO = 1.25;
const ALLOWED_MIB = 48;
/** With fewer samples nothing can be told. */
const MIN_SAMPLES = 40;

/** What the memory of a process did. */
export interface MemoryCourse {
  readonly name: string;
  /** Mebibytes that were resident: after the first tenth of the work, at its end, and the most. */
  readonly early: number;
  readonly late: number;
  readonly peak: number;
  /** Null where the run was too short to tell. */
  readonly isFlat: boolean | null;
}

interface Sample {
  /** Share of the work that was done by then. */
  readonly done: number;
  readonly mebibytes: number;
}

function courseOf(name: string, samples: readonly Sample[]): MemoryCourse {
  const settled = samples.filter(({ done }) => done >= SETTLED).map(({ mebibytes }) => mebibytes);
  const share = Math.max(1, Math.floor(settled.length * END_SHARE));
  const early = median(settled.slice(0, share));
  const late = median(settled.slice(-share));
  return {
    name,
    early,
    late,
    peak: Math.max(...samples.map(({ mebibytes }) => mebibytes)),
    isFlat: settled.length < MIN_SAMPLES ? null : late <= early * ALLOWED_RATIO + ALLOWED_MIB,
  };
}

/** Looks at the memory of processes while `work` runs. `shareDone` says how much of it is done, from 0 to 1. */
export async function watchMemory<T>(
  processes: readonly { readonly name: string; readonly pid: number }[],
  shareDone: () => number,
  work: () => Promise<T>,
): Promise<{ result: T; memory: MemoryCourse[] }> {
  const samples = processes.map((): Sample[] => []);
  const look = () => {
    const done = shareDone();
    for (const [n, { pid }] of processes.entries())
      samples[n]?.push({ done, mebibytes: residentMebibytes(pid) });
  };
  const timer = setInterval(look, INTERVAL_MS);
  try {
    look();
    const result = await work();
    return { result, memory: processes.map(({ name }, n) => courseOf(name, samples[n] ?? [])) };
  } finally {
    clearInterval(timer);
  }
}

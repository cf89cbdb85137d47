import { residentMebibytes } from './processes.js';

const INTERVAL_MS = 500;
/** Of the work: what a process holds by then is what it needs. */
const SETTLED = 0.1;
/** Samples at either end of the rest are compared by their medians: a collector of garbage makes waves. */
const END_SHARE = 0.2;
/** Growth that is no leak: pages that a collector has not given back. */
const ALLOWED_RATIO = 1.25;
const ALLOWED_MIB = 32;
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

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Looks at the memory of processes while they work. */
export class MemoryWatch {
  private readonly samples = new Map<string, { readonly done: number; readonly mebibytes: number }[]>();
  private readonly timer: NodeJS.Timeout;

  /** `share` says how much of the work is done, from 0 to 1. */
  constructor(processes: readonly { readonly name: string; readonly pid: number }[], share: () => number) {
    const look = () => {
      for (const { name, pid } of processes) {
        const course = this.samples.get(name) ?? [];
        this.samples.set(name, course);
        course.push({ done: share(), mebibytes: residentMebibytes(pid) });
      }
    };
    look();
    this.timer = setInterval(look, INTERVAL_MS);
  }

  /** Ends the watch. */
  end(): MemoryCourse[] {
    clearInterval(this.timer);
    return [...this.samples].map(([name, course]) => {
      const settled = course.filter(({ done }) => done >= SETTLED).map(({ mebibytes }) => mebibytes);
      const share = Math.max(1, Math.floor(settled.length * END_SHARE));
      const early = middle(settled.slice(0, share));
      const late = middle(settled.slice(-share));
      return {
        name,
        early,
        late,
        peak: Math.max(...course.map(({ mebibytes }) => mebibytes)),
        isFlat: settled.length < MIN_SAMPLES ? null : late <= early * ALLOWED_RATIO + ALLOWED_MIB,
      };
    });
  }
}

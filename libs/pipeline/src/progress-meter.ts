import type { Progress, ProgressPhase, ProgressReporter } from '@glimpse/contracts';

/** The rate is that of the last seconds: it follows a change, and does not jump with every chunk. */
const WINDOW_MS = 10_000;
/** Too short a time to tell a rate from. */
const MIN_SPAN_MS = 500;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** Measures how far some work has come, and how fast it goes. Read it regularly: the rate is told from the readings. */
export class ProgressMeter implements ProgressReporter {
  private name: ProgressPhase;
  private bytesDone = 0;
  /** Of this phase, from its beginning on. */
  private samples: Sample[];

  /** `nowMs` is a clock that never goes back. */
  constructor(
    phase: ProgressPhase,
    private bytesTotal: number | null = null,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.name = phase;
    this.samples = [{ atMs: nowMs(), bytes: 0 }];
  }

  phase(name: ProgressPhase, bytesTotal: number | null = null, bytesDone = 0): void {
    this.name = name;
    this.bytesTotal = bytesTotal;
    this.bytesDone = bytesDone;
    this.samples = [{ atMs: this.nowMs(), bytes: bytesDone }];
  }

  bytes(done: number): void {
    this.bytesDone = done;
  }

  /** How far it has come by now. */
  read(): Progress {
    const atMs = this.nowMs();
    this.samples.push({ atMs, bytes: this.bytesDone });
    // The last one outside of the window stays: the window reaches back to it.
    while ((this.samples[1]?.atMs ?? atMs) <= atMs - WINDOW_MS) this.samples.shift();
    return {
      phase: this.name,
      bytesDone: this.bytesDone,
      bytesTotal: this.bytesTotal,
      bytesPerSecond: this.rateAt(atMs),
    };
  }

  private rateAt(atMs: number): number | null {
    const [first] = this.samples;
    if (first === undefined || atMs - first.atMs < MIN_SPAN_MS) return null;
    return Math.max(0, Math.round(((this.bytesDone - first.bytes) * 1_000) / (atMs - first.atMs)));
  }
}

import type { JobKind, ProgressPhase } from '@glimpse/contracts';
import { counter, metricNames } from '@glimpse/observability';
import { ProgressMeter } from '@glimpse/pipeline';

const jobBytes = counter({
  name: metricNames.jobBytes,
  help: 'Bytes that jobs have worked on, phase by phase.',
  labelNames: ['kind', 'phase'],
});

/** The progress of a job, whose bytes are counted. */
export class CountedProgress extends ProgressMeter {
  private current: ProgressPhase = 'waiting';
  private counted = 0;

  constructor(private readonly kind: JobKind) {
    super('waiting');
  }

  override phase(name: ProgressPhase, bytesTotal?: number | null, bytesDone = 0): void {
    this.current = name;
    this.counted = bytesDone;
    super.phase(name, bytesTotal, bytesDone);
  }

  override bytes(done: number): void {
    if (done > this.counted) jobBytes.inc({ kind: this.kind, phase: this.current }, done - this.counted);
    this.counted = done;
    super.bytes(done);
  }
}

import { jobKinds } from '@glimpse/contracts';
import { gauge, metricNames } from '@glimpse/observability';
import { Database } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { RegistrySettings } from '../registry-settings.js';
import { Repeater } from '../repeater.js';

const waiting = gauge({
  name: metricNames.jobsWaiting,
  help: 'Jobs that are due and that no worker has taken yet.',
  labelNames: ['kind'],
});

/** Counts the jobs that wait, as often as workers look for them: what store-workers are scaled by. */
@Injectable()
export class JobsGauge {
  private readonly repeater: Repeater;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {
    this.repeater = new Repeater('counting of jobs', settings.logger, () => this.count());
  }

  start(): void {
    this.repeater.start(() => this.settings.config.jobs.pollMs);
  }

  stop(): Promise<void> {
    return this.repeater.stop();
  }

  private async count(): Promise<void> {
    const rows = await this.database.query<{ kind: string; jobs: number }>(
      "SELECT kind, COUNT(*) AS jobs FROM jobs WHERE status = 'queued' AND due_at <= ? GROUP BY kind",
      [this.clock.now()],
    );
    for (const kind of jobKinds) waiting.set({ kind }, rows.find((row) => row.kind === kind)?.jobs ?? 0);
  }
}

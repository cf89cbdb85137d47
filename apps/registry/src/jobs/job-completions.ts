import { type JobKind, type JobPayload, jobPayloads } from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';

/** What happens in the database when a job of a kind is done, in the transaction that ends the job. */
export interface JobCompletion<K extends JobKind = JobKind> {
  readonly kind: K;
  completed(tx: Transaction, payload: JobPayload<K>): Promise<void>;
}

/** The completions by the kind of job. */
export class JobCompletions {
  constructor(private readonly completions: readonly JobCompletion[]) {}

  async run(tx: Transaction, kind: JobKind, payload: string): Promise<void> {
    for (const completion of this.completions)
      if (completion.kind === kind)
        await completion.completed(tx, jobPayloads[kind].parse(JSON.parse(payload)));
  }
}

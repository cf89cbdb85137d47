import { type JobKind, jobKinds } from '@glimpse/contracts';
import type { JobHandler } from './job-handler.js';

/** One handler for each kind of job. */
export class JobHandlers {
  private readonly byKind = new Map<JobKind, JobHandler<JobKind>>();

  /** Throws when a kind has no handler, or two. */
  constructor(handlers: readonly JobHandler<JobKind>[]) {
    for (const handler of handlers) {
      if (this.byKind.has(handler.kind)) throw new Error(`Jobs of kind ${handler.kind} have two handlers`);
      this.byKind.set(handler.kind, handler);
    }
    const missing = jobKinds.filter((kind) => !this.byKind.has(kind));
    if (missing.length > 0) throw new Error(`Jobs of kind ${missing.join(', ')} have no handler`);
  }

  get kinds(): JobKind[] {
    return [...this.byKind.keys()];
  }

  get(kind: JobKind): JobHandler<JobKind> {
    const handler = this.byKind.get(kind);
    if (handler === undefined) throw new Error(`Jobs of kind ${kind} have no handler`);
    return handler;
  }
}

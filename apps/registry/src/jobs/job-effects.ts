import {
  type JobKind,
  type JobPayload,
  type JobResult,
  type Progress,
  type WireError,
  jobPayloadOf,
  jobResultOf,
} from '@glimpse/contracts';
import type { Transaction } from '@glimpse/persistence';

/** What a kind of job changes beside its own row as it goes, in the transaction that notes its step. */
export interface JobEffect<K extends JobKind = JobKind> {
  readonly kind: K;
  /** A worker begins, or begins anew after another one died. */
  started?(tx: Transaction, payload: JobPayload<K>): Promise<void>;
  /** The worker has told how far it has come. */
  progressed?(tx: Transaction, payload: JobPayload<K>, progress: Progress): Promise<void>;
  completed?(tx: Transaction, payload: JobPayload<K>, result: JobResult<K>): Promise<void>;
  /** It will not be tried again. */
  failed?(tx: Transaction, payload: JobPayload<K>, error: WireError): Promise<void>;
}

/** The effects by the kind of job. */
export class JobEffects {
  constructor(private readonly effects: readonly JobEffect[]) {}

  async started(tx: Transaction, kind: JobKind, payload: string): Promise<void> {
    for (const effect of this.of(kind)) await effect.started?.(tx, jobPayloadOf(kind, JSON.parse(payload)));
  }

  async progressed(tx: Transaction, kind: JobKind, payload: string, progress: Progress): Promise<void> {
    for (const effect of this.of(kind))
      await effect.progressed?.(tx, jobPayloadOf(kind, JSON.parse(payload)), progress);
  }

  async completed(tx: Transaction, kind: JobKind, payload: string, result: unknown): Promise<void> {
    for (const effect of this.of(kind))
      await effect.completed?.(
        tx,
        jobPayloadOf(kind, JSON.parse(payload)),
        jobResultOf(kind, result ?? null),
      );
  }

  async failed(tx: Transaction, kind: JobKind, payload: string, error: WireError): Promise<void> {
    for (const effect of this.of(kind))
      await effect.failed?.(tx, jobPayloadOf(kind, JSON.parse(payload)), error);
  }

  private of(kind: JobKind): JobEffect[] {
    return this.effects.filter((effect) => effect.kind === kind);
  }
}

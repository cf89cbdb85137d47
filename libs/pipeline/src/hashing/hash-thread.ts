import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ServiceError } from '@glimpse/contracts';
import type { HashAnswer, HashRequest } from './hash-protocol.js';

// The tests run the sources, production what was built from them.
const workerFile = new URL(`./hash.worker${extname(import.meta.url)}`, import.meta.url);

interface PendingAnswer {
  readonly resolve: (answer: HashAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** A thread that computes hashes. It keeps the process alive only while it owes answers. */
export class HashThread {
  private readonly worker = new Worker(workerFile, {
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 },
  });
  /** The thread answers in the order of the requests. */
  private readonly pending: PendingAnswer[] = [];
  private failure: ServiceError | undefined;

  constructor() {
    this.worker.unref();
    this.worker.on('message', (answer: HashAnswer) => this.settleNext(answer));
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', () => this.fail(undefined));
  }

  get hasFailed(): boolean {
    return this.failure !== undefined;
  }

  /** Rejects with `INTERNAL` when the thread dies. */
  request(request: HashRequest): Promise<HashAnswer> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) {
        reject(this.failure);
        return;
      }
      if (this.pending.length === 0) this.worker.ref();
      this.pending.push({ resolve, reject });
      this.worker.postMessage(request, []);
    });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private settleNext(answer: HashAnswer): void {
    this.pending.shift()?.resolve(answer);
    if (this.pending.length === 0) this.worker.unref();
  }

  private fail(cause: unknown): void {
    this.failure ??= new ServiceError('INTERNAL', 'A hashing thread ended', { cause });
    for (const { reject } of this.pending.splice(0)) reject(this.failure);
  }
}

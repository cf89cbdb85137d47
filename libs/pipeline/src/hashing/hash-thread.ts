import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ServiceError } from '@glimpse/contracts';
import type { HashAnswer, HashRequest } from './hash-protocol.js';
import { KnownMemory } from './known-memory.js';

// The tests run the sources, production what was built from them.
const workerFile = new URL(`./hash.worker${extname(import.meta.url)}`, import.meta.url);

interface PendingAnswer {
  readonly resolve: (answer: HashAnswer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A thread that computes hashes. It keeps the process alive only while it owes answers. When it dies everything
 * that is asked of it rejects with `INTERNAL`.
 */
export class HashThread {
  private readonly worker = new Worker(workerFile, {
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 },
  });
  /** The thread answers in the order of the requests. */
  private readonly pending: PendingAnswer[] = [];
  private readonly memory = new KnownMemory();
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

  begin(hashId: number, algorithm: string): Promise<unknown> {
    return this.request({ kind: 'begin', hashId, algorithm });
  }

  /** Resolves when the thread has read the first `length` bytes of `buffer`. */
  update(hashId: number, buffer: SharedArrayBuffer, length: number): Promise<unknown> {
    return this.request({ kind: 'update', hashId, length, memory: this.memory.describe(buffer) });
  }

  /** In lower-case hex. */
  async digest(hashId: number): Promise<string> {
    return (await this.request({ kind: 'digest', hashId })) ?? '';
  }

  drop(hashId: number): Promise<unknown> {
    return this.request({ kind: 'drop', hashId });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private request(request: HashRequest): Promise<HashAnswer> {
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

  private settleNext(answer: HashAnswer): void {
    this.pending.shift()?.resolve(answer);
    if (this.pending.length === 0) this.worker.unref();
  }

  private fail(cause: unknown): void {
    this.failure ??= new ServiceError('INTERNAL', 'A hashing thread ended', { cause });
    for (const { reject } of this.pending.splice(0)) reject(this.failure);
  }
}

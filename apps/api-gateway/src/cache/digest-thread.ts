import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { DigestAnswer, DigestRequest } from './digest-protocol.js';

// The tests run the sources, production what was built from them.
const workerFile = new URL(`./digest.worker${extname(import.meta.url)}`, import.meta.url);

/** The hash of a file that is still growing. */
export interface FileDigest {
  /** So many bytes are there to be read. */
  advance(upTo: number): void;
  /** In lower-case hex, of what was last said to be there; null where it could not be computed. */
  finish(): Promise<string | null>;
  /** Gives it up; without effect after `finish`. */
  drop(): void;
}

/**
 * A thread that hashes files by reading them while they are written: what comes out is the hash of what is in the file.
 * It starts when it is first needed, and again when it died.
 */
export class DigestThread {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, (digest: string | null) => void>();
  private lastId = 0;

  begin(path: string, algorithm: string): FileDigest {
    this.lastId += 1;
    const id = this.lastId;
    this.worker ??= this.start();
    const { worker } = this;
    const send = (request: DigestRequest) => worker.postMessage(request, []);
    send({ kind: 'begin', id, path, algorithm });
    return {
      advance: (upTo) => send({ kind: 'advance', id, upTo }),
      finish: () =>
        new Promise((resolve) => {
          if (worker !== this.worker) {
            resolve(null);
            return;
          }
          worker.ref();
          this.waiting.set(id, resolve);
          send({ kind: 'finish', id });
        }),
      drop: () => send({ kind: 'drop', id }),
    };
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
  }

  private start(): Worker {
    const worker = new Worker(workerFile, {
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 },
    });
    worker.unref();
    worker.on('message', (answer: DigestAnswer) => {
      this.settle(answer);
      if (this.waiting.size === 0) worker.unref();
    });
    worker.on('error', () => this.forget(worker));
    worker.on('exit', () => this.forget(worker));
    return worker;
  }

  private settle({ id, digest }: DigestAnswer): void {
    this.waiting.get(id)?.(digest);
    this.waiting.delete(id);
  }

  /** What it was asked for nobody will learn. */
  private forget(worker: Worker): void {
    if (worker !== this.worker) return;
    this.worker = undefined;
    for (const id of this.waiting.keys()) this.settle({ id, digest: null });
  }
}

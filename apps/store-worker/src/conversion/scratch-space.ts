import { access, constants, lstat, mkdir, readdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError, isAttemptId } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';

/** How often a folder that is in use says so, per time after which it counts as left. */
const TOUCHES_PER_AGE = 6;

export interface ScratchOptions {
  readonly directory: string;
  /** Bytes that this process may have there at a time; 0 for any number. */
  readonly maxBytes: number;
  /** What nobody touched for so long was left by a dead worker. */
  readonly maxAgeMs: number;
}

/** A folder of one attempt at a job, for files that have to be on a disk while it lasts. */
export interface ScratchFolder {
  readonly path: string;
  /** Throws SCRATCH_FULL where there is no room for so many bytes more, QUOTA_EXCEEDED where there never is. */
  reserve(bytes: number): void;
  /** Gives room back that was reserved and is not needed any more. */
  release(bytes: number): void;
  /** Removes it with everything in it. */
  remove(): Promise<void>;
}

/** The disk space of this worker for data in transit. Its folders are named after the attempt that uses them. */
export class ScratchSpace {
  private used = 0;
  private sweeping: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: ScratchOptions,
    private readonly logger: Logger,
  ) {}

  /** Rejects where nothing can be written there. */
  async assertUsable(): Promise<void> {
    const { directory } = this.options;
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await access(directory, constants.W_OK | constants.X_OK);
    } catch (error) {
      throw new ServiceError('CONVERSION_FAILED', `The scratch space ${directory} cannot be written to`, {
        cause: error,
      });
    }
  }

  /** Removes what dead workers left, now and from then on. */
  async start(): Promise<void> {
    await this.sweep();
    this.sweeping = setInterval(() => {
      this.sweep().catch((error: unknown) =>
        this.logger.warn({ err: error }, 'could not tidy the scratch space'),
      );
    }, this.options.maxAgeMs / TOUCHES_PER_AGE).unref();
  }

  stop(): void {
    clearInterval(this.sweeping);
  }

  /** `purpose` (of small letters) tells apart the folders that one attempt has at a time. */
  async open(attemptId: string, purpose?: string): Promise<ScratchFolder> {
    const path = this.pathOf(purpose === undefined ? attemptId : `${attemptId}.${purpose}`);
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true, mode: 0o700 });
    const { maxAgeMs } = this.options;
    const touching = setInterval(() => {
      // A folder that is gone was removed by another attempt, and this one learns it by itself.
      utimes(path, new Date(), new Date()).catch(() => undefined);
    }, maxAgeMs / TOUCHES_PER_AGE).unref();
    let reserved = 0;
    const release = (bytes: number) => {
      reserved -= bytes;
      this.used -= bytes;
    };
    return {
      path,
      reserve: (bytes) => {
        this.assertRoom(bytes, reserved);
        reserved += bytes;
        this.used += bytes;
      },
      release,
      remove: async () => {
        clearInterval(touching);
        await rm(path, { recursive: true, force: true });
        release(reserved);
      },
    };
  }

  /** Removes what another attempt left here, whose worker is dead. */
  async removeLeftovers(attemptId: string): Promise<void> {
    for (const name of await this.names())
      if (attemptOf(name) === attemptId) await rm(this.pathOf(name), { recursive: true, force: true });
  }

  private pathOf(name: string): string {
    return join(this.options.directory, name);
  }

  private names(): Promise<string[]> {
    return readdir(this.options.directory).catch(() => []);
  }

  private assertRoom(bytes: number, own: number): void {
    const { maxBytes } = this.options;
    if (maxBytes === 0 || this.used + bytes <= maxBytes) return;
    if (own + bytes > maxBytes)
      throw new ServiceError(
        'QUOTA_EXCEEDED',
        `The image is too large to be converted: workers have ${maxBytes} bytes of scratch space`,
      );
    throw scratchFull();
  }

  private async sweep(): Promise<void> {
    const { maxAgeMs } = this.options;
    for (const name of await this.names()) {
      // The directory may be one that others have things in.
      if (!isAttemptId(attemptOf(name))) continue;
      const path = this.pathOf(name);
      const touched = await lstat(path).catch(() => undefined);
      if (touched?.isDirectory() !== true || Date.now() - touched.mtimeMs < maxAgeMs) continue;
      this.logger.info({ path }, 'removing what a dead worker left in the scratch space');
      await rm(path, { recursive: true, force: true });
    }
  }
}

/** Whose folder it is, by its name. */
const attemptOf = (name: string): string => name.replace(/\.[a-z]+$/, '');

/** There may be room later. */
export const scratchFull = (cause?: unknown) =>
  new ServiceError('SCRATCH_FULL', 'The store-worker has no room left to convert the image', { cause });

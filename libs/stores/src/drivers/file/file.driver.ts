import { type FileHandle, access, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable, addAbortSignal } from 'node:stream';
import { ServiceError } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import type {
  CallOptions,
  Location,
  ReadOptions,
  StoreDriver,
  StoredObject,
  WriteOptions,
} from '../../store-driver.js';
import { refuseWhenAborted, transferChunks } from '../../transfer-chunks.js';
import { checkDirectories, findRoom, pathWithin, syncDirectory } from './data-directories.js';
import type { FileOptions } from './file.options.js';
import { EarlySync } from './early-sync.js';
import { FileInventory } from './file-inventory.js';
import { temporaryName, toName } from './file-names.js';
import { FileReader } from './file-reader.js';
import { FileWriter } from './file-writer.js';
import { errnoOf, toAccessError, toWriteError } from './fs-errors.js';
import { type MountPoint, findMountPoint } from './mount-points.js';
import { publishFile, removeIfThere } from './temporary-file.js';

/** Keeps each image as a file named after its id, in one or several directories. */
export class FileDriver implements StoreDriver {
  readonly capabilities = { write: true, delete: true, ranges: true, releasesChunks: true };

  readonly inventory: FileInventory;
  private readonly earlySync = new EarlySync();

  constructor(
    private readonly options: FileOptions,
    private readonly mountPoints: readonly MountPoint[],
    private readonly logger: Logger,
  ) {
    this.inventory = new FileInventory(options.directories);
  }

  async write(key: string, data: Readable, options: WriteOptions): Promise<StoredObject> {
    try {
      const directory = await findRoom(this.options.directories, options.expectedSize ?? 0);
      const path = join(directory, toName(key));
      await this.refuseExisting(key);
      let size = 0;
      await publishFile(join(directory, temporaryName(key, options.uploadId)), path, async (file) => {
        size = await this.fill(file, data, options);
      });
      return { location: { uri: `file://${path}` }, size, metadata: this.metadataOf(path) };
    } catch (error) {
      data.destroy();
      throw toWriteError(error, 'Cannot store image data');
    }
  }

  async read(location: Location, { range, signal }: ReadOptions): Promise<Readable> {
    signal?.throwIfAborted();
    const path = this.pathOf(location);
    try {
      const file = await open(path);
      try {
        const stats = await file.stat();
        if (!stats.isFile()) throw new ServiceError('STORE_LOCATION_INVALID', 'The location is not a file');
        const start = range?.start ?? 0;
        const end = range === undefined ? stats.size : range.end + 1;
        const reader = new FileReader(file, start, end - start);
        return signal === undefined ? reader : addAbortSignal(signal, reader);
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (error) {
      throw toAccessError(error, 'Cannot read image data');
    }
  }

  async size(location: Location): Promise<number> {
    const path = this.pathOf(location);
    try {
      return (await stat(path)).size;
    } catch (error) {
      throw toAccessError(error, 'Cannot read the size of image data');
    }
  }

  async delete(location: Location, { signal }: CallOptions): Promise<void> {
    await this.remove([this.pathOf(location)], signal);
  }

  async removeLeftovers(key: string, uploadId: string, { signal }: CallOptions): Promise<void> {
    const names = [temporaryName(key, uploadId), toName(key)];
    for (const { path } of this.options.directories)
      await this.remove(
        names.map((name) => join(path, name)),
        signal,
      );
  }

  parseLocation(uri: string): Location {
    this.pathOf({ uri });
    return { uri };
  }

  async checkHealth(): Promise<void> {
    try {
      await checkDirectories(this.options.directories);
    } catch (error) {
      throw new ServiceError('STORE_UNAVAILABLE', 'A data directory cannot be used', { cause: error });
    }
  }

  async close(): Promise<void> {}

  private pathOf({ uri }: Location): string {
    const path = pathWithin(this.options.directories, uri);
    // Without the path in the message: it would tell a caller how the server's disks are laid out.
    if (path === undefined)
      throw new ServiceError('STORE_LOCATION_INVALID', 'The location is not in this store');
    return path;
  }

  /** Saves the transfer where it is plain from the start that the name is taken, in whichever directory. */
  private async refuseExisting(key: string): Promise<void> {
    for (const { path } of this.options.directories) {
      try {
        await access(join(path, key));
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') continue;
        throw error;
      }
      throw new ServiceError('STORE_OBJECT_DUPLICATE', `The store already holds data of image ${key}`);
    }
  }

  private async fill(file: FileHandle, data: Readable, options: WriteOptions): Promise<number> {
    const isThin = this.options.isThin ?? options.isSparse ?? false;
    const writer = new FileWriter(file, isThin, this.earlySync, options.releaseChunk);
    for await (const chunk of transferChunks(data, options.signal)) await writer.write(chunk);
    await this.applyMode(file);
    await writer.finish();
    refuseWhenAborted(options.signal);
    return writer.size;
  }

  private async applyMode(file: FileHandle): Promise<void> {
    if (this.options.fileMode === 0) return;
    try {
      await file.chmod(this.options.fileMode);
    } catch (error) {
      this.logger.warn({ err: error }, 'cannot set the mode of image data');
    }
  }

  private metadataOf(path: string): Readonly<Record<string, unknown>> {
    const mountPoint = findMountPoint(this.mountPoints, path);
    if (mountPoint === undefined && this.mountPoints.length > 0)
      this.logger.error({ path }, 'no entry of the metadata file holds the data');
    return mountPoint ?? {};
  }

  private async remove(paths: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    for (const path of paths) {
      // Before each: once the caller has lost the right to remove, the next name may be somebody else's new data.
      signal?.throwIfAborted();
      try {
        await removeIfThere(path);
        await syncDirectory(dirname(path));
      } catch (error) {
        throw toAccessError(error, 'Cannot remove image data');
      }
    }
  }
}

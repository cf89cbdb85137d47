import { ConfigError, type Config } from '@glimpse/config';
import type { DownloadTicket } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import type { StoreRegistry } from '@glimpse/stores';
import { ImageCache } from './image-cache.js';

/** Which of the stores are cached: those that are named, else all that are not on a local disk. */
function cachedStores({ cache }: Config, stores: StoreRegistry): ReadonlySet<string> {
  const unknown = cache.stores?.filter((id) => stores.find(id) === undefined) ?? [];
  if (unknown.length > 0)
    throw new ConfigError(`cache.stores: there is no store ${unknown.map((id) => `"${id}"`).join(', ')}`);
  return new Set(cache.stores ?? stores.ids.filter((id) => stores.describe(id).type !== 'file'));
}

/** The gateway's cache, where it has one, and what goes into it. */
export class ImageCaching {
  private constructor(
    /** Undefined where nothing is cached. */
    readonly cache: ImageCache | undefined,
    private readonly storeIds: ReadonlySet<string>,
    private readonly mismatches: Set<(imageId: string) => void>,
  ) {}

  /** Opens the cache that is configured. Rejects with a `ConfigError` where an option can't be used. */
  static async open(config: Config, stores: StoreRegistry, logger: Logger): Promise<ImageCaching> {
    const { dir, maxBytes, stallTimeMs } = config.cache;
    if (dir === undefined) return new ImageCaching(undefined, new Set(), new Set());
    const storeIds = cachedStores(config, stores);
    const mismatches = new Set<(imageId: string) => void>();
    const onMismatch = (imageId: string) => mismatches.forEach((listen) => listen(imageId));
    try {
      const cache = await ImageCache.open({ dir, maxBytes, stallTimeMs, logger, onMismatch });
      return new ImageCaching(cache, storeIds, mismatches);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ConfigError(`cache.dir: ${reason}`, { cause: error });
    }
  }

  /** The cache for an image; undefined where it is read from its store alone. */
  cacheFor({ status }: DownloadTicket): ImageCache | undefined {
    return status === 'active' ? this.cache : undefined;
  }

  /** Whether a download from that store brings the image into the cache; from others it is brought when it is queued. */
  isFilledFrom(storeId: string | undefined): boolean {
    return storeId !== undefined && this.storeIds.has(storeId);
  }

  /** Calls `listen` with the id of each image whose data turns out to have another hash than it should. */
  whenMismatched(listen: (imageId: string) => void): void {
    this.mismatches.add(listen);
  }

  async close(): Promise<void> {
    await this.cache?.close();
  }
}

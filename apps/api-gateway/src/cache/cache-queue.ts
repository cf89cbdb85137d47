import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { RpcClient } from '@glimpse/bus';
import { ServiceError, isServiceError, registryCache } from '@glimpse/contracts';
import { GatewaySettings } from '../gateway-settings.js';
import { LocationReader } from '../image-data/location-reader.js';
import { canBeFileName } from './cache-directory.js';
import { wantedImage } from './cached-image.js';
import type { FetchOutcome } from './image-cache.js';
import { ImageCaching } from './image-caching.js';
import { QueueDirectory } from './queue-directory.js';

const MOST_ATTEMPTS = 6;
const FIRST_PAUSE_MS = 1_000;
/** These end no wish: others need the room, or what was under way was not meant for the queue. */
const AGAIN: ReadonlySet<string> = new Set<FetchOutcome>(['no-room', 'given-up', 'unwanted']);

/** Fetches the images that operators want in the cache, a few at once, oldest first. */
@Injectable()
export class CacheQueue {
  private readonly directory: QueueDirectory | undefined;
  /** Waiting or being fetched. */
  private readonly queued = new Set<string>();
  private readonly fetching = new Map<string, Promise<void>>();
  private readonly stopped = new AbortController();

  constructor(
    private readonly rpc: RpcClient,
    private readonly reader: LocationReader,
    private readonly caching: ImageCaching,
    private readonly settings: GatewaySettings,
  ) {
    const { dir } = settings.config.cache;
    this.directory = dir === undefined ? undefined : new QueueDirectory(dir);
  }

  /** Goes on with what was queued when the gateway ended. */
  async start(): Promise<void> {
    for (const imageId of (await this.directory?.load()) ?? []) this.queued.add(imageId);
    this.fetchNext();
  }

  list(): string[] {
    return [...this.queued];
  }

  has(imageId: string): boolean {
    return this.queued.has(imageId);
  }

  /** Queues an image; one that is queued already stays where it is. */
  async add(imageId: string): Promise<void> {
    if (!canBeFileName(imageId) || this.queued.has(imageId)) return;
    await this.directory?.add(imageId);
    this.queued.add(imageId);
    this.fetchNext();
  }

  /** Takes an image out; one that is being fetched goes on. */
  async remove(imageId: string): Promise<boolean> {
    const wasQueued = this.queued.delete(imageId);
    await this.directory?.remove(imageId);
    return wasQueued;
  }

  /** Takes all images out; gives their number. */
  async clear(): Promise<number> {
    const imageIds = this.list();
    for (const imageId of imageIds) await this.remove(imageId);
    return imageIds.length;
  }

  /** Begins no more; what was not fetched stays queued for the next start. */
  async stop(): Promise<void> {
    this.stopped.abort();
    await Promise.all(this.fetching.values());
  }

  private fetchNext(): void {
    for (const imageId of this.queued) {
      if (this.stopped.signal.aborted) return;
      if (this.fetching.size >= this.settings.config.cache.prefetchConcurrency) return;
      if (this.fetching.has(imageId)) continue;
      const done = this.fetch(imageId).finally(() => {
        this.fetching.delete(imageId);
        this.fetchNext();
      });
      this.fetching.set(imageId, done);
    }
  }

  /** Tries until the image is there or will never be; never rejects. */
  private async fetch(imageId: string): Promise<void> {
    const { logger } = this.settings;
    let attempt = 1;
    while (this.queued.has(imageId) && !this.stopped.signal.aborted)
      try {
        const outcome = await this.fetchOnce(imageId);
        if (this.stopped.signal.aborted) return;
        if (AGAIN.has(outcome)) await this.pause(FIRST_PAUSE_MS);
        else {
          logger.info({ imageId, outcome }, 'a queued image was dealt with');
          await this.remove(imageId);
        }
      } catch (error) {
        const isHopeless = !isServiceError(error) || !error.isRetryable || attempt === MOST_ATTEMPTS;
        logger[isHopeless ? 'error' : 'warn']({ err: error, imageId }, 'a queued image cannot be cached');
        if (isHopeless) await this.remove(imageId).catch(() => undefined);
        else await this.pause(FIRST_PAUSE_MS * 2 ** (attempt - 1));
        attempt += 1;
      }
  }

  private async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.stopped.signal, ref: false }).catch(() => undefined);
  }

  private async fetchOnce(imageId: string): Promise<FetchOutcome | 'not-active'> {
    const ticket = await this.rpc.call(registryCache.openFill, { id: imageId });
    const { locations } = ticket;
    const cache = this.caching.cacheFor(ticket);
    if (cache === undefined) return 'not-active';
    const { signal } = this.stopped;
    const size = ticket.size ?? (await this.reader.size({ imageId, locations, signal }));
    const outcome = await cache.fetch(wantedImage(ticket, size), (options) =>
      this.reader.open({ imageId, locations, ...options }),
    );
    if (outcome === 'source-failed')
      throw new ServiceError('STORE_UNAVAILABLE', 'The image could not be read from its store');
    return outcome;
  }
}

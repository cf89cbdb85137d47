import { type Readable, addAbortSignal } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { RpcClient } from '@glimpse/bus';
import {
  type Caller,
  type DownloadTicket,
  type ImageLocation,
  isServiceError,
  registryImages,
} from '@glimpse/contracts';
import type { ByteRange } from '@glimpse/stores';
import { wantedImage } from '../cache/cached-image.js';
import { ImageCaching } from '../cache/image-caching.js';
import { type RangeRequest, type ResolvedRange, resolveRange } from '../http/range.js';
import { firstBytes } from './first-bytes.js';
import { LocationReader } from './location-reader.js';

export interface DownloadRequest {
  readonly ctx: Caller;
  readonly imageId: string;
  /** Ids of stores to try first. */
  readonly prefer: readonly string[];
}

export interface OpenRequest {
  readonly ticket: DownloadTicket;
  readonly prefer: readonly string[];
  readonly range: RangeRequest | undefined;
  readonly signal: AbortSignal;
}

/** Data that is ready to be sent. Whoever gets it destroys the stream. */
export interface OpenedImage {
  readonly stream: Readable;
  /** Bytes of the stream. */
  readonly length: number;
  readonly range: ResolvedRange | undefined;
  /** The bytes come from the cache. */
  readonly isCached: boolean;
}

interface Opening {
  readonly ticket: DownloadTicket;
  readonly locations: readonly ImageLocation[];
  readonly size: number;
  /** Left out for the whole image. */
  readonly part: ByteRange | undefined;
  readonly signal: AbortSignal;
}

/** Opens the data of images for reading, from the cache where there is one. */
@Injectable()
export class DownloadService {
  constructor(
    private readonly rpc: RpcClient,
    private readonly reader: LocationReader,
    private readonly caching: ImageCaching,
  ) {}

  /** What there is to be read, for a caller who may. */
  async find({ ctx, imageId, prefer }: DownloadRequest): Promise<DownloadTicket> {
    return this.rpc.call(registryImages.openDownload, {
      ctx,
      id: imageId,
      ...(prefer.length > 0 ? { choosesStores: true } : {}),
    });
  }

  /** Bytes of the image; null where it has no data. */
  async size(ticket: DownloadTicket, signal: AbortSignal): Promise<number | null> {
    return orNullWithoutData(() => this.sizeOf(ticket, ticket.locations, signal));
  }

  /** Where the client may read the data from the store itself; undefined where it is to have it from here. */
  directUrl({ ticket, prefer, signal }: Omit<OpenRequest, 'range'>): Promise<string | undefined> {
    // Whoever may read data that others may not is not told where it is.
    if (ticket.status !== 'active') return Promise.resolve(undefined);
    const { imageId, size } = ticket;
    const locations = this.reader.inOrder(ticket.locations, prefer);
    return this.reader.directUrl({ imageId, locations, signal }, size);
  }

  /** The data from its first byte on; null where the image has none. */
  async open({ ticket, prefer, range: requested, signal }: OpenRequest): Promise<OpenedImage | null> {
    const locations = this.reader.inOrder(ticket.locations, prefer);
    return orNullWithoutData(async () => {
      const size = await this.sizeOf(ticket, locations, signal);
      const range = requested === undefined ? undefined : resolveRange(requested, size);
      const length = range === undefined ? size : range.end - range.start + 1;
      const part = range !== undefined && length > 0 && length < size ? range : undefined;
      const opening = { ticket, locations, size, part, signal };
      return { ...(await this.openData(opening)), length, range };
    });
  }

  private sizeOf(
    { imageId, size }: DownloadTicket,
    locations: readonly ImageLocation[],
    signal: AbortSignal,
  ): Promise<number> {
    return size === null ? this.reader.size({ imageId, locations, signal }) : Promise.resolve(size);
  }

  private async openData(opening: Opening): Promise<Pick<OpenedImage, 'stream' | 'isCached'>> {
    const { ticket, locations, part, signal } = opening;
    const cached = await this.openCached(opening);
    if (cached !== undefined) return cached;
    const stream = await this.reader.open({
      imageId: ticket.imageId,
      locations,
      signal,
      ...(part === undefined ? {} : { range: part }),
    });
    return { stream, isCached: false };
  }

  private async openCached({
    ticket,
    locations,
    size,
    part,
    signal,
  }: Opening): Promise<Pick<OpenedImage, 'stream' | 'isCached'> | undefined> {
    const [best] = locations;
    const storeId = best === undefined ? undefined : this.reader.findStore(best);
    const { imageId } = ticket;
    let isCached = false;
    const stream = await this.caching.cacheFor(ticket)?.read({
      wanted: wantedImage(ticket, size),
      mayFill: this.caching.isFilledFrom(storeId),
      onOutcome: (outcome) => {
        isCached = outcome === 'hit';
      },
      ...(part === undefined ? {} : { range: part }),
      openSource: (options) => this.reader.open({ imageId, locations, ...options }),
      openRest: (range, restSignal) =>
        this.reader.open({ imageId, locations, range, signal: AbortSignal.any([signal, restSignal]) }),
    });
    if (stream === undefined) return undefined;
    return { stream: await firstBytes(addAbortSignal(signal, stream)), isCached };
  }
}

/** Data that is lost is as data that was never there. */
async function orNullWithoutData<T>(open: () => Promise<T>): Promise<T | null> {
  try {
    return await open();
  } catch (error) {
    if (isServiceError(error, 'STORE_OBJECT_NOT_FOUND')) return null;
    throw error;
  }
}

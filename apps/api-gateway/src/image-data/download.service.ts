import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { RpcClient } from '@glimpse/bus';
import {
  type Caller,
  type DownloadTicket,
  type ImageLocation,
  ServiceError,
  isServiceError,
  registryImages,
  storeOf,
} from '@glimpse/contracts';
import { type ResolvedLocation, StoreRegistry } from '@glimpse/stores';
import { GatewaySettings } from '../gateway-settings.js';
import { type RangeRequest, type ResolvedRange, resolveRange } from '../http/range.js';

export interface DownloadRequest {
  readonly ctx: Caller;
  readonly imageId: string;
  /** Ids of stores to try first. */
  readonly prefer: readonly string[];
  /** Asked only when there is data: without any even a senseless range is no error. */
  readonly range: () => RangeRequest | undefined;
  readonly signal: AbortSignal;
}

/** Data that is ready to be sent. Whoever gets it destroys the stream. */
export interface OpenedImage {
  readonly stream: Readable;
  /** Bytes of the stream. */
  readonly length: number;
  readonly range: ResolvedRange | undefined;
  /** Of the whole image. */
  readonly checksum: string | null;
}

/** Waits until there is something to read, so that a failure comes before the answer has begun. */
async function firstBytes(stream: Readable): Promise<Readable> {
  if (stream.errored !== null) throw stream.errored;
  if (stream.readableLength > 0 || stream.readableEnded) return stream;
  const closed = once(stream, 'close').then(() => {
    throw new ServiceError('STORE_UNAVAILABLE', 'The store closed the data before its first byte');
  });
  closed.catch(() => undefined);
  await Promise.race([once(stream, 'readable'), closed]);
  return stream;
}

/** Opens the data of images for reading. */
@Injectable()
export class DownloadService {
  constructor(
    private readonly rpc: RpcClient,
    private readonly stores: StoreRegistry,
    private readonly settings: GatewaySettings,
  ) {}

  /** Null where the image has no data. Tries one location after the other until one has given its first byte. */
  async open(request: DownloadRequest): Promise<OpenedImage | null> {
    const { ctx, imageId } = request;
    const ticket = await this.rpc.call(registryImages.openDownload, { ctx, id: imageId });
    if (ticket.locations.length === 0) return null;
    const range = request.range();
    let lastError: unknown;
    for (const location of this.inOrder(ticket.locations, request.prefer)) {
      try {
        return await this.openLocation(location, ticket, range, request.signal);
      } catch (error) {
        if (request.signal.aborted || !isServiceError(error)) throw error;
        this.settings.logger.warn({ err: error, imageId }, 'a location can not be read');
        lastError = error;
      }
    }
    if (isServiceError(lastError, 'STORE_OBJECT_NOT_FOUND')) return null;
    throw lastError;
  }

  private async openLocation(
    imageLocation: ImageLocation,
    ticket: DownloadTicket,
    requested: RangeRequest | undefined,
    signal: AbortSignal,
  ): Promise<OpenedImage> {
    const { driver, location } = this.resolve(imageLocation);
    const size = ticket.size ?? (await driver.size(location, { signal }));
    const range = requested === undefined ? undefined : resolveRange(requested, size);
    if (range !== undefined && !driver.capabilities.ranges)
      throw new ServiceError('STORE_OPERATION_UNSUPPORTED', 'The store of this image can not read a range.');
    const length = range === undefined ? size : range.end - range.start + 1;
    const isPart = length > 0 && length < size;
    const stream = await driver.read(location, { signal, ...(isPart && range ? { range } : {}) });
    try {
      return { stream: await firstBytes(stream), length, range, checksum: ticket.checksum };
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }

  /** A location that this gateway's configuration does not know is not the client's mistake. */
  private resolve(location: ImageLocation): ResolvedLocation {
    try {
      return this.stores.resolve(location);
    } catch (error) {
      throw new ServiceError('STORE_UNAVAILABLE', 'The store of this image is not configured.', {
        cause: error,
      });
    }
  }

  /** Preferred stores first, otherwise as the registry gave them: the best first. */
  private inOrder(locations: readonly ImageLocation[], prefer: readonly string[]): ImageLocation[] {
    const rank = (location: ImageLocation) => {
      const preference = prefer.indexOf(storeOf(location) ?? this.stores.defaultId);
      return preference === -1 ? prefer.length : preference;
    };
    return locations.toSorted((one, other) => rank(one) - rank(other));
  }
}

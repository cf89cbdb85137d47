import { type Readable, addAbortSignal } from 'node:stream';
import { ServiceError } from '@glimpse/contracts';
import type { ByteRange, CallOptions, Location, ReadOptions, StoreDriver } from '../../store-driver.js';
import { type BodyWindow, readWindow } from './http-body.js';
import type { HttpClient, HttpResponse } from './http-client.js';
import { parseHttpTarget } from './http-location.js';

const unsupported = (what: string) =>
  new ServiceError('STORE_OPERATION_UNSUPPORTED', `Stores of type http are read only: cannot ${what}`);

const headerOf = ({ headers }: HttpResponse, name: string): string => String(headers[name] ?? '');

function contentLengthOf(response: HttpResponse): number | undefined {
  const text = headerOf(response, 'content-length');
  const length = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(length) ? length : undefined;
}

/** What of the body is wanted: servers that don't know ranges answer with the whole object. */
function windowOf(response: HttpResponse, range: ByteRange | undefined): BodyWindow {
  if (range === undefined) return { skip: 0, length: contentLengthOf(response) };
  const length = range.end - range.start + 1;
  if (response.status === 200) return { skip: range.start, length };
  const contentRange = headerOf(response, 'content-range');
  if (contentRange.startsWith(`bytes ${range.start}-${range.end}/`)) return { skip: 0, length };
  throw new ServiceError('STORE_UNAVAILABLE', 'The server answered with another range than was asked for');
}

/** Reads images from web servers. Their locations are plain URLs; nothing is ever written or removed. */
export class HttpDriver implements StoreDriver {
  readonly capabilities = { write: false, delete: false, ranges: true, releasesChunks: false };

  constructor(private readonly client: HttpClient) {}

  async write(_key: string, data: Readable): Promise<never> {
    data.destroy();
    throw unsupported('store data');
  }

  async read({ uri }: Location, { range, signal }: ReadOptions): Promise<Readable> {
    const headers: Record<string, string> =
      range === undefined ? {} : { range: `bytes=${range.start}-${range.end}` };
    const response = await this.client.send(uri, { method: 'GET', headers, signal });
    try {
      const stream = readWindow(response.body, windowOf(response, range));
      return signal === undefined ? stream : addAbortSignal(signal, stream);
    } catch (error) {
      response.body.destroy();
      throw error;
    }
  }

  /** 0 where the server doesn't say. */
  async size({ uri }: Location, { signal }: CallOptions): Promise<number> {
    const response = await this.client.send(uri, { method: 'HEAD', headers: {}, signal });
    response.body.destroy();
    return contentLengthOf(response) ?? 0;
  }

  async delete(): Promise<never> {
    throw unsupported('remove data');
  }

  async removeLeftovers(): Promise<never> {
    throw unsupported('remove data');
  }

  parseLocation(uri: string): Location {
    parseHttpTarget(uri);
    return { uri };
  }

  /** There is no server of its own that could be asked. */
  async checkHealth(): Promise<void> {}

  async close(): Promise<void> {
    await this.client.close();
  }
}

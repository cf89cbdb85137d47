import type { IncomingHttpHeaders } from 'node:http';
import { ServiceError } from '@glimpse/contracts';
import { HttpError } from '../http/http-error.js';

export interface UploadHeaders {
  /** Bytes, where they were announced. */
  readonly size: number | undefined;
  /** The store that was asked for; undefined for the default one. */
  readonly storeId: string | undefined;
}

/** Uploads are `application/octet-stream`, written just so; parameters don't matter. */
function checkContentType(contentType: string | undefined): void {
  const mediaType = (contentType ?? '').split(';')[0]!.trim();
  if (mediaType !== 'application/octet-stream')
    throw new HttpError(415, 'Image data must be sent as application/octet-stream.');
}

function announcedSize(headers: IncomingHttpHeaders): number | undefined {
  const sent = headers['x-openstack-image-size'];
  if (sent === undefined) {
    const length = headers['content-length'];
    // Neither a length nor chunks: there is no body, which is an empty image.
    if (length === undefined) return headers['transfer-encoding'] === undefined ? 0 : undefined;
    return Number(length);
  }
  const text = String(sent).trim();
  const size = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(size))
    throw new ServiceError('REQUEST_INVALID', 'x-openstack-image-size must be a number of bytes.');
  // Glance takes a negative size for one that no data can have.
  if (size < 0) throw new ServiceError('IMAGE_SIZE_MISMATCH', `No data has a size of ${size} bytes.`);
  return size === 0 ? undefined : size;
}

/** What the headers say of data that is staged; a store is not theirs to name. Throws 415 and 400. */
export function parseStagingHeaders(headers: IncomingHttpHeaders): Pick<UploadHeaders, 'size'> {
  checkContentType(headers['content-type']);
  return { size: announcedSize(headers) };
}

/** What the headers of an upload say; the store only where there are several. Throws 415 and 400. */
export function parseUploadHeaders(
  headers: IncomingHttpHeaders,
  stores: { isMultiStore: boolean; ids: readonly string[] },
): UploadHeaders {
  const { size } = parseStagingHeaders(headers);
  const sent = headers['x-image-meta-store'];
  if (!stores.isMultiStore || sent === undefined) return { size, storeId: undefined };
  const storeId = String(sent);
  if (!stores.ids.includes(storeId))
    throw new ServiceError('STORE_UNKNOWN', `There is no store "${storeId}".`);
  return { size, storeId };
}

import { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { ServiceError } from '@glimpse/contracts';
import type { ByteRange } from '../../store-driver.js';
import type { S3Connection } from './s3-connection.js';
import { nameOf, toAccessError } from './s3-errors.js';

interface OpenBody {
  readonly body: Readable;
  readonly length: number;
  readonly etag: string | undefined;
}

interface ReadObject {
  readonly key: string;
  readonly range: ByteRange | undefined;
  readonly signal: AbortSignal | undefined;
  /** Attempts to go on with a body that broke off, without a byte in between. */
  readonly attempts: number;
}

async function openBody(
  { client, bucket }: S3Connection,
  key: string,
  range: ByteRange | undefined,
  { signal, etag }: { signal: AbortSignal | undefined; etag?: string | undefined },
): Promise<OpenBody> {
  const { Body, ContentLength, ContentRange, ETag } = await client.send(
    new GetObjectCommand({
      Bucket: bucket,
      Key: key,
      ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` }),
      ...(etag === undefined ? {} : { IfMatch: etag }),
    }),
    { abortSignal: signal },
  );
  if (!(Body instanceof Readable) || ContentLength === undefined)
    throw new ServiceError('STORE_UNAVAILABLE', 'The server answered without data');
  const isOther =
    range !== undefined && !(ContentRange ?? '').startsWith(`bytes ${range.start}-${range.end}/`);
  if (!isOther) return { body: Body, length: ContentLength, etag: ETag };
  Body.destroy();
  throw new ServiceError('STORE_UNAVAILABLE', 'The server answered with another range than was asked for');
}

/** Opens an object, or a part of it. A body that breaks off is gone on with by another request for the same object. */
export async function readObject(connection: S3Connection, read: ReadObject): Promise<Readable> {
  const { key, range, signal } = read;
  let current = await openBody(connection, key, range, { signal });
  const first = range?.start ?? 0;
  const end = first + current.length;

  async function* bytes(): AsyncGenerator<Buffer> {
    let at = first;
    for (let failures = 0; at < end;) {
      try {
        for await (const chunk of current.body as AsyncIterable<Buffer>) {
          at += chunk.length;
          failures = 0;
          yield chunk;
        }
        if (at < end) throw new ServiceError('STORE_UNAVAILABLE', 'The server ended the data before its end');
      } catch (error) {
        if (signal?.aborted === true || ++failures >= read.attempts) throw toBroken(error);
        const rest = { start: at, end: end - 1 };
        current = await openBody(connection, key, rest, { signal, etag: current.etag }).catch(
          (reason: unknown) => {
            throw toBroken(reason);
          },
        );
      }
    }
  }

  const stream = Readable.from(bytes(), { objectMode: false });
  // A stream that is destroyed before the first read never enters the generator.
  stream.once('close', () => current.body.destroy());
  return stream;
}

/** An object that is replaced or removed in mid-read is as a store that fails, not as one that never had it. */
function toBroken(error: unknown): ServiceError {
  const { message, cause } = toAccessError(error, `Cannot read image data to its end (${nameOf(error)})`);
  return new ServiceError('STORE_UNAVAILABLE', message, { cause });
}

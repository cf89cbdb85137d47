import { Readable } from 'node:stream';
import { ServiceError } from '@glimpse/contracts';

/** Which part of a response's body is wanted. `length` is undefined where it is the rest, whatever its size. */
export interface BodyWindow {
  readonly skip: number;
  readonly length: number | undefined;
}

const broken = (cause?: unknown) =>
  new ServiceError('STORE_UNAVAILABLE', 'The server ended the data before its end', { cause });

/** The wanted part of `body`. It fails with `STORE_UNAVAILABLE` where the body breaks off or is too short. */
export function readWindow(body: Readable, window: BodyWindow): Readable {
  const stream = Readable.from(windowChunks(body, window), { objectMode: false });
  // A stream that is destroyed before the first read never enters the generator.
  stream.once('close', () => body.destroy());
  return stream;
}

async function* windowChunks(body: Readable, { skip, length }: BodyWindow): AsyncGenerator<Buffer> {
  let toSkip = skip;
  let left = length ?? Number.POSITIVE_INFINITY;
  for await (const received of orBroken(body)) {
    const chunk = received.subarray(Math.min(toSkip, received.length)).subarray(0, left);
    toSkip -= Math.min(toSkip, received.length);
    left -= chunk.length;
    if (chunk.length > 0) yield chunk;
    if (left === 0) return;
  }
  if (length !== undefined && left > 0) throw broken();
}

async function* orBroken(body: Readable): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } catch (error) {
    throw broken(error);
  }
}

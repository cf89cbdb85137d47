import { createCipheriv, createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';

/** Data that is known by its label alone, so that nobody has to keep it. */
export function payloadOf(label: string, size: number): Buffer {
  const key = createHash('sha256').update(label).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

export const sha512 = (data: Uint8Array) => createHash('sha512').update(data).digest('hex');

const CHUNKS = 8;

/** The data as a client on a slow line sends it: without a length, over about `durationMs` milliseconds. */
export function sentSlowly(data: Buffer, durationMs: number): Readable {
  const step = Math.ceil(data.length / CHUNKS);
  return Readable.from(
    (async function* chunks() {
      for (let from = 0; from < data.length; from += step) {
        yield data.subarray(from, from + step);
        await sleep(durationMs / CHUNKS);
      }
    })(),
  );
}

/** The first half of the data, and then an end of the connection. */
export function brokenOff(data: Buffer): Readable {
  return Readable.from(
    (async function* chunks() {
      yield data.subarray(0, Math.ceil(data.length / 2));
      await sleep(100);
      throw new Error('the client goes away');
    })(),
  );
}

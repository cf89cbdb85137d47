import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { ServiceError } from '@glimpse/contracts';
import type { ObjectHead, S3Connection } from './s3-connection.js';
import { statusOf } from './s3-errors.js';

/** From the last look at an object until nothing is sent any more to remove it: well within the usual lease. */
const DECISION_MS = 5_000;

/** Servers that were asked to remove an object only if it is the one that is meant, and know no such thing. */
const refusing = new WeakSet<S3Connection>();

/**
 * Removes the object if it is still the one that is meant; false where another one lies there. The server compares it where
 * it can (`If-Match`). Where it can't, what counts is how old the look is: a process that stood still looks again, or
 * rejects with `STORE_UNAVAILABLE` where the server is too slow for that.
 */
export async function removeUnchanged(
  connection: S3Connection,
  key: string,
  isMeant: (head: ObjectHead) => boolean,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const deadline = performance.now() + DECISION_MS;
  const limit = AbortSignal.timeout(DECISION_MS);
  const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  try {
    const head = await connection.findHead(key, either);
    if (head === undefined) return true;
    if (!isMeant(head)) return false;
    // A process that stood still learns of an answer before it learns of the time.
    const assertFresh = () => {
      if (performance.now() > deadline) throw tooSlow();
    };
    await remove(connection, key, { etag: head.etag, assertFresh, abortSignal: either });
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    // Also where the answer to an attempt was lost that did remove it.
    if (statusOf(error) === 404) return true;
    if (statusOf(error) === 412) return (await connection.findHead(key, signal)) === undefined;
    throw limit.aborted ? tooSlow(error) : error;
  }
}

async function remove(
  connection: S3Connection,
  key: string,
  { etag, assertFresh, abortSignal }: { etag: string; assertFresh: () => void; abortSignal: AbortSignal },
): Promise<void> {
  assertFresh();
  const { client, bucket: Bucket } = connection;
  if (!refusing.has(connection) && etag !== '') {
    try {
      await client.send(new DeleteObjectCommand({ Bucket, Key: key, IfMatch: etag }), { abortSignal });
      return;
    } catch (error) {
      if (statusOf(error) !== 501) throw error;
      refusing.add(connection);
    }
  }
  assertFresh();
  await client.send(new DeleteObjectCommand({ Bucket, Key: key }), { abortSignal });
}

const tooSlow = (cause?: unknown) =>
  new ServiceError('STORE_UNAVAILABLE', 'The server is too slow to remove anything safely', { cause });

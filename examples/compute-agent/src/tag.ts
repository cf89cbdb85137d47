import { createHash, randomBytes } from 'node:crypto';

const PREFIX = 'gs-';

/** What the names of everything begin with that a request has made in QEMU: it is found again by them. */
export const prefixOf = (requestId: string) =>
  `${PREFIX}${createHash('sha256').update(requestId).digest('hex').slice(0, 8)}-`;

/**
 * The name of one point in time. Another one of the same request has another name, which is in the URI of its source:
 * so no image is ever made of two.
 */
export const newTag = (requestId: string) => `${prefixOf(requestId)}${randomBytes(4).toString('hex')}`;

/** The bitmap that says what changed up to that point in time. */
export const frozenBitmapName = (bitmap: string, tag: string) => `${bitmap}.${tag}`;

/** Of a name that {@link frozenBitmapName} has made: its parts. */
export function parseFrozenBitmap(name: string): { bitmap: string; tag: string } | undefined {
  const [, bitmap, tag] = /^(.+)\.(gs-[0-9a-f]{8}-[0-9a-f]{8})$/.exec(name) ?? [];
  return bitmap === undefined || tag === undefined ? undefined : { bitmap, tag };
}

/** The tag in the name of a job, an export or a node. */
export const tagIn = (name: string) => /^gs-[0-9a-f]{8}-[0-9a-f]{8}/.exec(name)?.[0];

/** The node that shows the disk as it was, and the one of the file in which it keeps what was overwritten. */
export const fleeceNode = (tag: string) => `${tag}-f`;
export const scratchNode = (tag: string) => `${tag}-s`;
/** The job that creates that file. */
export const scratchJob = (tag: string) => `${tag}-c`;

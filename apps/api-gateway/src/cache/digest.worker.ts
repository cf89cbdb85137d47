// Runs in a thread of its own. Loaded as it is, without a build, by the tests: it imports nothing but Node and types.
import { type Hash, createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { DigestAnswer, DigestRequest } from './digest-protocol.js';

const READ_BYTES = 1_048_576;

interface Digest {
  readonly file: number;
  readonly hash: Hash;
  position: number;
  hasFailed: boolean;
}

const digests = new Map<number, Digest>();
const buffer = Buffer.allocUnsafeSlow(READ_BYTES);

function begin(id: number, path: string, algorithm: string): void {
  const hash = createHash(algorithm);
  digests.set(id, { file: openSync(path, 'r'), hash, position: 0, hasFailed: false });
}

function advance(digest: Digest, upTo: number): void {
  while (digest.position < upTo && !digest.hasFailed) {
    const length = Math.min(READ_BYTES, upTo - digest.position);
    const bytesRead = readSync(digest.file, buffer, 0, length, digest.position);
    if (bytesRead === 0) digest.hasFailed = true;
    digest.hash.update(buffer.subarray(0, bytesRead));
    digest.position += bytesRead;
  }
}

function end(id: number): Digest | undefined {
  const digest = digests.get(id);
  digests.delete(id);
  if (digest !== undefined) closeSync(digest.file);
  return digest;
}

function handle(request: DigestRequest): void {
  try {
    const digest = digests.get(request.id);
    if (request.kind === 'begin') begin(request.id, request.path, request.algorithm);
    else if (request.kind === 'advance' && digest !== undefined) advance(digest, request.upTo);
    else if (request.kind === 'drop') end(request.id);
  } catch {
    const digest = digests.get(request.id);
    if (digest !== undefined) digest.hasFailed = true;
  }
  if (request.kind !== 'finish') return;
  const digest = end(request.id);
  const isWhole = digest !== undefined && !digest.hasFailed;
  const answer: DigestAnswer = { id: request.id, digest: isWhole ? digest.hash.digest('hex') : null };
  parentPort?.postMessage(answer, []);
}

parentPort?.on('message', handle);

// Runs in a thread of its own. Loaded as it is, without a build, by the tests: it imports nothing but Node and types.
import { type Hash, createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import type { HashAnswer, HashRequest } from './hash-protocol.js';

const hashes = new Map<number, Hash>();

function answer(request: HashRequest): HashAnswer {
  const { kind, hashId } = request;
  if (kind === 'begin') hashes.set(hashId, createHash(request.algorithm));
  if (kind === 'update') hashes.get(hashId)?.update(new Uint8Array(request.memory, 0, request.length));
  const digest = kind === 'digest' ? (hashes.get(hashId)?.digest('hex') ?? null) : null;
  if (kind === 'digest' || kind === 'drop') hashes.delete(hashId);
  return digest;
}

parentPort?.on('message', (request: HashRequest) => parentPort?.postMessage(answer(request), []));

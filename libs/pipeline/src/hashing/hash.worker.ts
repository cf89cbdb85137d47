// Runs in a thread of its own. Loaded as it is, without a build, by the tests: it imports nothing but Node and types.
import { type Hash, createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import type { HashAnswer, HashRequest, SentMemory } from './hash-protocol.js';

const hashes = new Map<number, Hash>();
const memories = new Map<number, Uint8Array>();

function find({ id, buffer, forget }: SentMemory): Uint8Array {
  if (forget !== undefined) memories.delete(forget);
  if (buffer !== undefined) memories.set(id, new Uint8Array(buffer));
  const memory = memories.get(id);
  if (memory === undefined) throw new Error(`Memory ${id} was never sent`);
  return memory;
}

function answer(request: HashRequest): HashAnswer {
  const { kind, hashId } = request;
  if (kind === 'begin') hashes.set(hashId, createHash(request.algorithm));
  if (kind === 'update') {
    const memory = find(request.memory);
    hashes
      .get(hashId)
      ?.update(request.length === memory.length ? memory : memory.subarray(0, request.length));
  }
  const digest = kind === 'digest' ? (hashes.get(hashId)?.digest('hex') ?? null) : null;
  if (kind === 'digest' || kind === 'drop') hashes.delete(hashId);
  return digest;
}

parentPort?.on('message', (request: HashRequest) => parentPort?.postMessage(answer(request), []));

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Glimpse, ImageApi, startGlimpse } from '@glimpse/testing';

const MIB = 1 << 20;
const IMAGE_MIB = 2048;
const BOUND_MIB = 300;
const TIMEOUT_MS = 180_000;

/** The most memory that a process ever had resident. */
function peakMebibytes(pid: number): number {
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(peak?.[1]) / 1024;
}

describe('a large image', () => {
  let glimpse: Glimpse;
  const api = new ImageApi(() => glimpse.url);
  beforeAll(async () => {
    glimpse = await startGlimpse({ mode: 'distributed' });
  }, TIMEOUT_MS);
  afterAll(() => glimpse?.stop(), TIMEOUT_MS);

  it(
    'goes in and out through processes that stay small',
    async () => {
      const piece = randomBytes(MIB);
      const { id } = await api.create();

      await api.upload(id, Readable.from(Array.from({ length: IMAGE_MIB }, () => piece)));
      const response = await fetch(`${glimpse.url}/v2/images/${id}/file`);
      let received = 0;
      for await (const chunk of response.body ?? []) received += chunk.byteLength;

      expect(received).toBe(IMAGE_MIB * MIB);
      for (const service of ['api-gateway', 'registry', 'store-worker'] as const)
        for (const { pid } of glimpse.running(service)) expect(peakMebibytes(pid)).toBeLessThan(BOUND_MIB);
    },
    TIMEOUT_MS,
  );
});

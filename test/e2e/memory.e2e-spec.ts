import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { expect, it } from '@jest/globals';
import { ImageApi, eachMode } from '@glimpse/testing';

const MIB = 1 << 20;
/** Enough to show memory that grows with the image; 10 GiB need no more, and a minute. */
const SIZE_MIB = 1024;
/** The promise for an image of any size, per process. */
const MOST_MEMORY_MIB = 300;
const TEST_TIMEOUT_MS = 180_000;

const services = ['api-gateway', 'registry', 'store-worker'] as const;

/** The most memory that the process ever had resident. */
function peakMebibytes(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) / 1024;
}

eachMode('A large image', (glimpse) => {
  const api = new ImageApi(() => glimpse().url);

  async function downloadedBytes(id: string): Promise<number> {
    const { body } = await fetch(`${glimpse().url}/v2/images/${id}/file`);
    let bytes = 0;
    for await (const chunk of body ?? []) bytes += (chunk as Uint8Array).length;
    return bytes;
  }

  it(
    'goes in and out in little memory',
    async () => {
      const { id } = await api.create();
      const piece = Buffer.alloc(MIB, 'x');

      await api.upload(id, Readable.from(Array.from({ length: SIZE_MIB }, () => piece)));
      const bytes = await downloadedBytes(id);

      expect(bytes).toBe(SIZE_MIB * MIB);
      for (const { name, pid } of services.flatMap((service) => glimpse().running(service)))
        expect({ name, isLittle: peakMebibytes(pid) < MOST_MEMORY_MIB }).toEqual({ name, isLittle: true });
      await api.delete(id);
    },
    TEST_TIMEOUT_MS,
  );
});

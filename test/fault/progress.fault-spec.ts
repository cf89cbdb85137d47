import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventReader, type Glimpse, ImageApi, cutConnections, startGlimpse } from '@glimpse/testing';

const MIB = 1_048_576;
const BOUND_MS = 60_000;
const TEST_TIMEOUT_MS = 120_000;

describe('progress, of two gateways', () => {
  let glimpse: Glimpse;
  beforeAll(async () => {
    glimpse = await startGlimpse({ mode: 'distributed', replicas: 2 });
  });
  afterAll(() => glimpse?.stop(), 60_000);

  it(
    'is shown by the one that does not have the upload, also after the bus lost its connections',
    async () => {
      const [one = '', other = ''] = glimpse.urls;
      const api = new ImageApi(() => one);
      const { id } = await api.create();
      const reader = await EventReader.open(`${other}/v2/images/${id}/progress`);
      const body = new PassThrough();
      const headers = { 'content-type': 'application/octet-stream' };
      const answer = api.send('PUT', `/v2/images/${id}/file`, { headers, body });
      const shown = (bytes: number) =>
        reader.expect('progress', ({ bytes_done: done }) => Number(done) >= bytes, BOUND_MS);

      body.write(Buffer.alloc(MIB));
      expect(await shown(MIB)).toMatchObject({ type: 'upload', phase: 'receiving' });
      expect(await cutConnections(glimpse.env['GLIMPSE_BUS_URL']!)).toBeGreaterThan(0);
      body.write(Buffer.alloc(MIB));
      await shown(2 * MIB);
      body.end(Buffer.alloc(MIB));

      expect((await answer).status).toBe(204);
      await reader.end(BOUND_MS);
      expect(reader.dataOf('progress').at(-1)).toMatchObject({ phase: 'done', bytes_done: 3 * MIB });
      expect(reader.dataOf('end')).toEqual([{ reason: 'finished', image_id: id, status: 'active' }]);
    },
    TEST_TIMEOUT_MS,
  );
});

import { createLogger } from '@glimpse/observability';
import { describe, expect, it } from '@jest/globals';
import type { KeystoneAnswer } from './keystone-http.js';
import { ProjectLimitsReader, needsLimits } from './project-limits.js';

const logger = createLogger('test', { level: 'silent' });
const options = {
  serviceType: 'image',
  interface: 'internal',
  regionName: undefined,
  limitsCacheTtlMs: 30_000,
} as const;
const catalog = [
  {
    id: 'glance',
    type: 'image',
    endpoints: [{ interface: 'internal', region_id: 'R1', url: 'http://image' }],
  },
];

const registered = (name: string, limit: number, region: string | null = null) => ({
  resource_name: name,
  region_id: region,
  default_limit: limit,
});
const own = (name: string, limit: number, region: string | null = null) => ({
  resource_name: name,
  region_id: region,
  resource_limit: limit,
});

function setUp(limits: { registered: object[]; own: object[] }) {
  const state = { now: 1_000, asked: [] as string[], isAway: false };
  const session = {
    catalog: () => Promise.resolve(catalog),
    get: (_operation: string, path: string): Promise<KeystoneAnswer> => {
      if (state.isAway) return Promise.reject(new Error('away'));
      state.asked.push(path);
      const body = path.startsWith('/registered_limits')
        ? { registered_limits: limits.registered }
        : { limits: limits.own };
      return Promise.resolve({ status: 200, headers: {}, body });
    },
  };
  const reader = new ProjectLimitsReader(session, options, logger, () => state.now);
  return { state, reader };
}

const none = { imageCountTotal: 0, imageSizeTotal: 0, imageCountUploading: 0, imageStageTotal: 0 };

describe('ProjectLimitsReader', () => {
  it("takes the project's own limit, else what holds for every project, else 0", async () => {
    const { reader, state } = setUp({
      registered: [
        registered('image_count_total', 10),
        registered('image_size_total', -1),
        registered('server_count', 7),
      ],
      own: [own('image_count_total', 20)],
    });

    expect(await reader.of('p1')).toEqual({ ...none, imageCountTotal: 20, imageSizeTotal: -1 });
    expect(state.asked.toSorted((a, b) => a.localeCompare(b))).toEqual([
      '/limits?service_id=glance&project_id=p1',
      '/registered_limits?service_id=glance',
    ]);
  });

  it('prefers the limit of its region and takes none of another', async () => {
    const { reader } = setUp({
      registered: [
        registered('image_count_total', 1),
        registered('image_count_total', 2, 'R2'),
        registered('image_count_total', 3, 'R1'),
        registered('image_size_total', 4, 'R2'),
        registered('image_stage_total', 5),
      ],
      own: [own('image_stage_total', 6, 'R2')],
    });

    expect(await reader.of('p1')).toEqual({ ...none, imageCountTotal: 3, imageStageTotal: 5 });
  });

  it('asks once for all who come at the same time, and again after a while', async () => {
    const { reader, state } = setUp({ registered: [], own: [] });

    await Promise.all([reader.of('p1'), reader.of('p1'), reader.of('p1')]);
    await reader.of('p1');
    expect(state.asked).toHaveLength(2);

    state.now += 30_000;
    await reader.of('p1');
    expect(state.asked).toHaveLength(4);
  });

  it('goes on with what it knew while Keystone is away, and guesses nothing', async () => {
    const { reader, state } = setUp({ registered: [registered('image_count_total', 10)], own: [] });
    await reader.of('p1');
    state.isAway = true;
    state.now += 3_600_000;

    expect(await reader.of('p1')).toMatchObject({ imageCountTotal: 10 });
    await expect(reader.of('p2')).rejects.toThrow('away');
  });
});

describe('needsLimits', () => {
  it.each([
    ['POST', '/v2/images'],
    ['PUT', '/v2/images/1/file'],
    ['PUT', '/v2/images/1/stage'],
    ['POST', '/v2/images/1/import'],
    ['POST', '/v2/images/1/locations?x'],
    ['PATCH', '/v2/images/1'],
    ['GET', '/v2/info/usage'],
    ['GET', '/v2/info/usage?x=y'],
  ])('%s %s does', (method, url) => {
    expect(needsLimits({ method, url })).toBe(true);
  });

  it.each([
    ['GET', '/v2/images'],
    ['GET', '/v2/images/1/file'],
    ['DELETE', '/v2/images/1'],
    ['POST', '/v2/metadefs/namespaces'],
    ['GET', '/v2/info/stores'],
  ])('%s %s does not', (method, url) => {
    expect(needsLimits({ method, url })).toBe(false);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { METHODS } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { loadConfig } from '@glimpse/config';
import type { RunningService } from '@glimpse/runtime';
import { Validator } from '@seriousme/openapi-schema-validator';
import { parse } from 'yaml';
import { startApiGateway } from '../bootstrap.js';
import { GlimpseAdapter } from '../http/glimpse.adapter.js';
import { describedRoutes, openApiDocument } from './openapi-document.js';

// Everything that can be switched on is.
const environment = (dataDir: string) => ({
  GLIMPSE_PORT: '0',
  GLIMPSE_AUTH: 'headers',
  GLIMPSE_BUS_URL: 'memory:openapi-spec',
  GLIMPSE_DATA_DIR: dataDir,
  GLIMPSE_LOG_LEVEL: 'silent',
  GLIMPSE_STORES: `a: { type: file, datadir: ${dataDir}/a }\nb: { type: file, datadir: ${dataDir}/b }`,
  GLIMPSE_DEFAULT_STORE: 'a',
  GLIMPSE_CACHE_DIR: join(dataDir, 'cache'),
  GLIMPSE_CACHE_MANAGEMENT_ROUTES: 'true',
  GLIMPSE_IMPORT_CONVERSION_ON_REQUEST: 'true',
});

let gateway: RunningService;
let dataDir: string;
let routes: { path: string; methods: string[] }[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'glimpse-openapi-'));
  const spy = jest.spyOn(GlimpseAdapter.prototype, 'refuseOtherMethods').mockImplementation(function collect(
    this: GlimpseAdapter,
  ) {
    ({ routes } = this);
  });
  gateway = await startApiGateway(loadConfig(environment(dataDir)));
  spy.mockRestore();
});

afterAll(async () => {
  await gateway.close(0);
  await rm(dataDir, { recursive: true });
});

const get = (path: string) => fetch(`${gateway.url}${path}`);

describe('the OpenAPI document', () => {
  const documented = () =>
    describedRoutes(loadConfig(environment(dataDir))).map(({ method, path }) => `${method} ${path}`);

  it('describes every route of the server, and no other', () => {
    const isAny = (methods: string[]) => METHODS.every((method) => methods.includes(method));
    const anyMethod = routes.filter(({ methods }) => isAny(methods)).map(({ path }) => path);
    const served = routes
      .filter(({ methods }) => !isAny(methods))
      .flatMap(({ path, methods }) => methods.map((method) => `${method} ${path}`));
    const described = documented().filter((route) => !anyMethod.includes(route.split(' ')[1]!));

    expect(described.toSorted()).toEqual(served.toSorted());
    expect(documented().map((route) => route.split(' ')[1])).toEqual(expect.arrayContaining(anyMethod));
  });

  it('is valid OpenAPI 3.1, whatever the way of authentication', async () => {
    const document = (await (await get('/v2/openapi.json')).json()) as Record<string, unknown>;
    const validator = new Validator();

    expect(await validator.validate(document)).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
    for (const auth of ['none', 'keystone'] as const) {
      const config = { ...loadConfig(environment(dataDir)), auth };
      expect(await new Validator().validate({ ...openApiDocument(config) })).toEqual({ valid: true });
    }
  });

  it('has an id of its own for every operation', () => {
    const { paths } = openApiDocument(loadConfig(environment(dataDir))) as {
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    const ids = Object.values(paths).flatMap((operations) =>
      Object.values(operations).map(({ operationId }) => operationId),
    );

    expect(new Set(ids).size).toBe(ids.length);
  });

  it('needs no token, names its server, and marks what Glance does not have', async () => {
    const document = (await (await get('/v2/openapi.json')).json()) as {
      servers: unknown;
      paths: Record<string, { get?: { parameters: { name: string }[] } }>;
    };

    expect(document.servers).toEqual([{ url: gateway.url }]);
    expect(document.paths['/v2/docs']?.get).toMatchObject({ 'x-glimpse-addition': true, security: [] });
    expect(document.paths['/v2/images']?.get?.parameters).toContainEqual(
      expect.objectContaining({ name: 'count', 'x-glimpse-addition': true }),
    );
  });

  it('is there as YAML', async () => {
    const json: unknown = await (await get('/v2/openapi.json')).json();

    expect(parse(await (await get('/v2/openapi.yaml')).text())).toEqual(json);
  });
});

describe('the page', () => {
  it('loads nothing but what this service serves', async () => {
    const page = await get('/v2/docs');
    const html = await page.text();
    const links = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link = '']) => link);

    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    expect(links).toHaveLength(4);
    for (const link of links) {
      expect(link).toMatch(/^docs\//);
      expect((await get(`/v2/${link}`)).status).toBe(200);
    }
  });

  it.each(['nothing.js', 'package.json', 'constructor'])('has no file %s', async (file) => {
    expect((await get(`/v2/docs/${file}`)).status).toBe(404);
  });
});

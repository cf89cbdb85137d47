import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  DataServer,
  type Glimpse,
  type HttpAnswer,
  ImageApi,
  type Mode,
  OidcIssuer,
  ServiceProcess,
  getTestServers,
  request,
  startGlimpse,
  waitFor,
} from '@glimpse/testing';
import { JSON_TYPE, V21 } from './callers.js';
import { EventSpy } from './event-spy.js';
import { PlantedSecrets } from './planted-secrets.js';
import { severalStores } from './several-stores.js';

const secrets = new PlantedSecrets();
const stores = severalStores();
const folder = mkdtempSync(join(tmpdir(), 'glimpse-secrets-'));
let issuer: OidcIssuer;
let web: DataServer;
beforeAll(async () => {
  issuer = await OidcIssuer.start();
  web = await DataServer.start();
});
afterAll(async () => {
  await issuer.close();
  await web.close();
  await stores.remove();
  rmSync(folder, { recursive: true });
});

/** A token that is a secret: nobody may read it, or what makes it valid, anywhere. */
async function plantedToken(project: string, ...roles: string[]): Promise<string> {
  const token = await issuer.token({ sub: 'ada', project_id: project, roles, jti: randomUUID() });
  secrets.add(`token of ${project}`, token.split('.')[2]!);
  return token;
}

const withCredentials = (url: string, what: string) =>
  url.replace('://', `://operator:${secrets.plant(what)}@`);

/** A whole day of a cloud, with everything that can go wrong; what was answered with an error is kept. */
class Day {
  readonly refusals: HttpAnswer[] = [];

  constructor(private readonly url: string) {}

  async live(): Promise<void> {
    const token = await plantedToken('red', 'member');
    const service = await plantedToken('services', 'service');
    const api = new ImageApi(() => this.url, { 'x-auth-token': token, 'x-service-token': service });
    await this.work(api);
    await this.beRefused();
    await this.sendNonsense(api);
    await this.registerLocations(api);
    await this.failInTheBackground(api);
    await this.lookAround(await plantedToken('operators', 'admin'));
  }

  private async send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<HttpAnswer> {
    const answer = await request(method, `${this.url}${path}`, {
      headers,
      ...(body === undefined ? {} : { body }),
    });
    if (answer.status >= 400) this.refusals.push(answer);
    return answer;
  }

  private async work(api: ImageApi): Promise<void> {
    const { id } = await api.create({ name: 'ordinary' });
    await api.upload(id, Buffer.from('data'));
    await api.download(id);
    await api.list();
    await api.expect(204, 'PUT', `/v2/images/${id}/tags/tag`);
    await api.delete(id);
  }

  private async beRefused(): Promise<void> {
    const names = [
      'x-auth-token',
      'x-storage-token',
      'authorization',
      'x-service-token',
      'cookie',
      'x-subject-token',
    ];
    for (const name of names) {
      await this.send('GET', '/v2/images', { [name]: secrets.plant(`refused ${name}`) });
      await this.send('GET', '/v2/images', {
        [name]: `Bearer ${secrets.plant(`refused Bearer in ${name}`)}`,
      });
    }
    await this.send('GET', '/v2/images', { authorization: `Basic ${btoa(`ada:${secrets.plant('Basic')}`)}` });
    const expired = await issuer.token({ sub: 'ada', project_id: 'red' }, { expiresIn: -60 });
    secrets.add('expired token', expired.split('.')[2]!);
    await this.send('GET', '/v2/images', { authorization: `Bearer ${expired}` });
    const stranger = { 'x-auth-token': await plantedToken('blue', 'reader') };
    await this.send('POST', '/v2/images', { ...stranger, ...JSON_TYPE }, '{"name":"not mine"}');
    await this.send('DELETE', `/v2/images/${randomUUID()}`, stranger);
  }

  private async sendNonsense(api: ImageApi): Promise<void> {
    const url = withCredentials('https://store.example.com/x', 'credentials in a broken request');
    const bodies = [
      `{"locations": [{"url": "${url}", }]}`,
      `"${url}"`,
      JSON.stringify({ disk_format: url }),
      JSON.stringify({ visibility: url }),
      JSON.stringify({ id: url }),
      JSON.stringify({ locations: [{ url }] }),
      JSON.stringify({ direct_url: url, file: url }),
    ];
    for (const body of bodies) this.keep(await api.send('POST', '/v2/images', { headers: JSON_TYPE, body }));
    for (const path of [
      `?marker=${url}`,
      `?sort_key=${url}`,
      `?status=${url}`,
      `?limit=${url}`,
      `/${encodeURIComponent(url)}`,
    ])
      this.keep(await api.send('GET', `/v2/images${path}`));
    this.keep(await api.send('GET', `/v2/images?name=${encodeURIComponent(url)}`));
  }

  private async registerLocations(api: ImageApi): Promise<void> {
    const good = web.serve('good', Buffer.from('located'));
    const urls = [
      good,
      web.urlOf('missing'),
      'http://127.0.0.1:1/closed',
      'ftp://127.0.0.1/x',
      'http://127.0.0.1:99999/x',
      'nonsense://x',
      'http://127.0.0.1/%zz',
    ];
    for (const url of urls) {
      const secret = withCredentials(url, `credentials in the location ${url}`);
      const { id } = await api.create({ name: 'located' });
      const add = JSON.stringify([{ op: 'add', path: '/locations/-', value: { url: secret, metadata: {} } }]);
      this.keep(await api.send('PATCH', `/v2/images/${id}`, { headers: V21, body: add }));
      const twice = JSON.stringify([
        { op: 'replace', path: '/locations', value: [{ url: secret }, { url: secret }] },
      ]);
      this.keep(await api.send('PATCH', `/v2/images/${id}`, { headers: V21, body: twice }));
      this.keep(await api.send('GET', `/v2/images/${id}/file`));
      this.keep(await api.send('DELETE', `/v2/images/${id}`));
    }
  }

  /** Jobs that fail: their reasons are logged, kept, announced and shown. */
  private async failInTheBackground(api: ImageApi): Promise<void> {
    const gone = withCredentials(web.serve('soon-gone', Buffer.from('data')), 'credentials of a failing job');
    const { id } = await api.create({ name: 'fails later' });
    const release = web.hold('soon-gone');
    const body = JSON.stringify({
      url: gone,
      validation_data: { os_hash_algo: 'sha256', os_hash_value: '0'.repeat(64) },
    });
    this.keep(await api.send('POST', `/v2/images/${id}/locations`, { headers: JSON_TYPE, body }));
    release();
    await waitFor('the task to end', async () => {
      const { tasks } = JSON.parse((await api.send('GET', `/v2/images/${id}/tasks`)).text) as {
        tasks: { status: string }[];
      };
      return tasks.every(({ status }) => status === 'success' || status === 'failure');
    });
    this.keep(await api.send('GET', `/v2/images/${id}/tasks`));
  }

  private async lookAround(admin: string): Promise<void> {
    for (const path of ['/v2/tasks', '/v2/info/stores/detail', '/v2/info/import', '/v2/schemas/image'])
      this.keep(await this.send('GET', path, { 'x-auth-token': admin }));
  }

  private keep(answer: HttpAnswer): void {
    if (answer.status >= 400) this.refusals.push(answer);
  }
}

describe.each<Mode>(['embedded', 'distributed'])('Secrets (%s)', (mode) => {
  let glimpse: Glimpse;
  let spy: EventSpy;
  let day: Day;
  beforeAll(async () => {
    glimpse = await startGlimpse({
      mode,
      env: {
        GLIMPSE_LOG_LEVEL: 'trace',
        GLIMPSE_AUTH: 'oidc',
        GLIMPSE_OIDC_ISSUER: issuer.url,
        GLIMPSE_OIDC_AUDIENCE: 'glimpse',
        GLIMPSE_OIDC_KEYS_COOLDOWN_SECONDS: '1',
        ...stores.env,
        GLIMPSE_IMAGES_SHOW_MULTIPLE_LOCATIONS: 'true',
      },
    });
    spy = await EventSpy.on(glimpse);
    const { GLIMPSE_BUS_URL: bus } = glimpse.env;
    if (bus !== undefined) secrets.add('password of the bus', new URL(bus).password);
    day = new Day(glimpse.url);
    await day.live();
  });
  afterAll(async () => {
    await spy.close();
    await glimpse.stop();
  });

  it('are in no log, at the finest level', () => {
    expect(glimpse.logs).toContain('"level":"debug"');
    // The first lines are kept too.
    expect(glimpse.logs).toContain('migrated the database');
    expect(secrets.foundIn(glimpse.logs)).toEqual([]);
  });

  it('are in no event, and in none of the audit', async () => {
    const events = await spy.events();

    expect(events.join('\n')).toContain('audit.recorded');
    expect(secrets.foundIn(events.join('\n'))).toEqual([]);
  });

  it('are in no error', () => {
    expect(day.refusals.length).toBeGreaterThan(30);
    for (const { text, headers } of day.refusals)
      expect(secrets.foundIn(`${text}\n${JSON.stringify([...headers])}`)).toEqual([]);
  });

  it('are in no metric', async () => {
    const services = (['api-gateway', 'registry', 'store-worker'] as const).flatMap((name) =>
      glimpse.running(name),
    );
    const pages = await Promise.all(services.map(({ url }) => request('GET', `${url}/metrics`)));

    expect(pages.map(({ status }) => status)).toEqual(services.map(() => 200));
    expect(secrets.foundIn(pages.map(({ text }) => text).join('\n'))).toEqual([]);
  });

  if (mode === 'distributed')
    it('are in no log when they come in messages that nobody can read', async () => {
      await spy.poison(`{"url": "${secrets.plant('a message that is no message')}"`);
      await spy.poison(JSON.stringify({ id: '1', name: secrets.plant('the name of an event'), calls: 7 }));

      await waitFor(
        'the dead letters',
        async () =>
          (JSON.parse(await glimpse.manage('dead-letters', 'list', '--json')) as unknown[]).length === 2,
      );
      expect(glimpse.logs).toContain('received a request that can not be read');
      expect(secrets.foundIn(glimpse.logs)).toEqual([]);
    });

  it('are not shown by the command', async () => {
    const shown = await glimpse.manage('jobs', 'list', '--json');

    expect(secrets.foundIn(shown)).toEqual([]);
  });
});

describe('Passwords of the configuration', () => {
  const dist = (service: string) => join(process.cwd(), 'dist', 'apps', service, 'src', 'main.js');
  const start = async (env: Record<string, string>, service = 'embedded'): Promise<string> => {
    const all = {
      PATH: process.env['PATH'],
      GLIMPSE_PORT: '0',
      GLIMPSE_REGISTRY_PORT: '0',
      GLIMPSE_STORE_WORKER_PORT: '0',
    };
    const more = {
      ...all,
      GLIMPSE_LOG_LEVEL: 'trace',
      GLIMPSE_DATA_DIR: folder,
      ...env,
    };
    try {
      const started = await ServiceProcess.start(service, dist(service), more);
      try {
        await request('GET', `${started.url}/readyz`);
        const answer = await request('GET', `${started.url}/v2/images`, {
          headers: { 'x-auth-token': 'any' },
        });
        await waitFor(
          'a line about the trouble',
          () => /"level":"(warn|error)"/.test(started.log) || answer.status >= 500,
        );
        return `${started.log}\n${answer.text}`;
      } finally {
        await started.kill('SIGKILL');
      }
    } catch (error) {
      return String(error);
    }
  };
  const at = (scheme: string, address: string, what: string) =>
    `${scheme}://glimpse:${secrets.plant(what)}@${address}/glimpse`;

  it.each<[string, string, () => Record<string, string>]>([
    [
      'of a database that is away',
      'embedded',
      () => ({ GLIMPSE_DATABASE_URL: at('mysql', '127.0.0.1:1', 'database that is away') }),
    ],
    [
      'of a bus that is away',
      'api-gateway',
      () => ({ GLIMPSE_BUS_URL: at('amqp', '127.0.0.1:1', 'bus that is away') }),
    ],
    [
      'of a database that refuses it',
      'embedded',
      () => ({
        GLIMPSE_DATABASE_URL: at(
          'mysql',
          new URL(getTestServers().databaseUrl).host,
          'database that refuses',
        ),
      }),
    ],
    [
      'of a bus that refuses it',
      'api-gateway',
      () => ({ GLIMPSE_BUS_URL: at('amqp', new URL(getTestServers().busUrl).host, 'bus that refuses') }),
    ],
    [
      'of a database URL that is none',
      'embedded',
      () => ({ GLIMPSE_DATABASE_URL: at('postgres', 'host', 'database URL that is none') }),
    ],
    [
      'of a bus URL that is none',
      'embedded',
      () => ({ GLIMPSE_BUS_URL: at('kafka', 'host:x', 'bus URL that is none') }),
    ],
    [
      'of a store whose options are wrong',
      'embedded',
      () => ({
        GLIMPSE_STORES: JSON.stringify({
          web: { type: 'http', secret: secrets.plant('wrong store option') },
        }),
      }),
    ],
    [
      'of a proxy of a store',
      'embedded',
      () => ({
        GLIMPSE_STORES: JSON.stringify({
          web: { type: 'http', http_proxy_information: { http: `user:${secrets.plant('proxy')}@:x` } },
        }),
      }),
    ],
    [
      'of Keystone that is away',
      'embedded',
      () => ({
        GLIMPSE_AUTH: 'keystone',
        GLIMPSE_KEYSTONE_AUTH_URL: 'http://127.0.0.1:1/v3',
        GLIMPSE_KEYSTONE_USERNAME: 'glimpse',
        GLIMPSE_KEYSTONE_PASSWORD: secrets.plant('password at Keystone'),
        GLIMPSE_KEYSTONE_PROJECT_NAME: 'service',
      }),
    ],
  ])('stay where they are: %s', async (_what, service, env) => {
    const said = await start(env(), service);

    expect(said).not.toBe('');
    expect(secrets.foundIn(said)).toEqual([]);
  });
});

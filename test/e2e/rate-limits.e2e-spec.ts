import { type HttpAnswer, eachMode, request } from '@glimpse/testing';
import { expect, it } from '@jest/globals';

const identity = (project: string, roles = 'member,reader') => ({
  'x-identity-status': 'Confirmed',
  'x-user-id': 'u',
  'x-project-id': project,
  'x-roles': roles,
});

const limitsOf = ({ headers }: HttpAnswer) =>
  ['limit', 'remaining'].map((name) => headers.get(`ratelimit-${name}`));

eachMode(
  'Rate limits',
  (glimpse) => {
    const get = (path: string, headers: Record<string, string>) =>
      request('GET', `${glimpse().url}${path}`, { headers });
    const change = (headers: Record<string, string>) =>
      request('DELETE', `${glimpse().url}/v2/images/none`, { headers });

    it('let a project send so many requests, and say when it may send more', async () => {
      const answers = [];
      for (let n = 0; n < 4; n += 1) answers.push(await get('/v2/images', identity('one')));
      const [first, , , last] = answers as [HttpAnswer, HttpAnswer, HttpAnswer, HttpAnswer];

      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
      expect(limitsOf(first)).toEqual(['3', '2']);
      expect(limitsOf(last)).toEqual(['3', '0']);
      expect(last.headers.get('ratelimit-policy')).toBe('1;w=60;burst=3;comment="reads"');
      expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(50);
      expect(Number(last.headers.get('ratelimit-reset'))).toBeGreaterThan(150);
      expect(last.headers.get('x-openstack-request-id')).toMatch(/^req-/);
      expect(last.text).toContain('429 Too Many Requests');
    });

    it('count each project, and each kind of request, for itself', async () => {
      for (let n = 0; n < 4; n += 1) await get('/v2/images', identity('two'));

      expect((await get('/v2/images', identity('two'))).status).toBe(429);
      expect((await get('/v2/images', identity('three'))).status).toBe(200);
      expect((await change(identity('two'))).status).toBe(404);
      expect((await change(identity('two'))).status).toBe(429);
      expect((await get('/v2/images/none/file', identity('two'))).status).toBe(404);
      expect((await get('/v2/images/none/file', identity('two'))).status).toBe(429);
    });

    it('leave out operators and services', async () => {
      const statuses = [];
      for (let n = 0; n < 5; n += 1)
        statuses.push((await get('/v2/images', identity('four', 'admin,reader'))).status);

      expect(new Set(statuses)).toEqual(new Set([200]));
    });

    it('count requests without an identity by the address that a trusted proxy names', async () => {
      const from = async (address: string) =>
        (await get('/v2/images', { 'x-forwarded-for': address })).status;

      expect([await from('192.0.2.1'), await from('192.0.2.1'), await from('192.0.2.1')]).toEqual([
        401, 401, 429,
      ]);
      // What stands before the address that the proxy added is whatever the client wrote.
      expect(await from('192.0.2.9, 192.0.2.1')).toBe(429);
      expect(await from('192.0.2.2')).toBe(401);
    });

    it('have a metric, and spare the probes', async () => {
      const { text } = await get('/metrics', {});

      expect(text).toMatch(/glimpse_http_rate_limited_total\{kind="reads"\} [1-9]/);
      for (let n = 0; n < 5; n += 1) expect((await get('/healthcheck', {})).status).toBe(200);
    });
  },
  {
    auth: 'headers',
    env: {
      GLIMPSE_RATE_LIMITS_READS_PER_MINUTE: '1',
      GLIMPSE_RATE_LIMITS_READS_BURST: '3',
      GLIMPSE_RATE_LIMITS_CHANGES_PER_MINUTE: '1',
      GLIMPSE_RATE_LIMITS_DATA_PER_MINUTE: '1',
      GLIMPSE_RATE_LIMITS_UNAUTHENTICATED_PER_MINUTE: '2',
      GLIMPSE_HTTP_TRUSTED_PROXIES: '127.0.0.0/8',
    },
  },
);

eachMode(
  'A proxy that nobody trusts',
  (glimpse) => {
    it('can not say where a request came from', async () => {
      const from = async (address: string) =>
        (await request('GET', `${glimpse().url}/v2/images`, { headers: { 'x-forwarded-for': address } }))
          .status;

      expect([await from('192.0.2.1'), await from('192.0.2.2')]).toEqual([401, 429]);
    });
  },
  { auth: 'headers', env: { GLIMPSE_RATE_LIMITS_UNAUTHENTICATED_PER_MINUTE: '1' } },
);

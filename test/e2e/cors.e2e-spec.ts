import { type HttpAnswer, eachMode, request } from '@glimpse/testing';
import { describe, expect, it } from '@jest/globals';

const ORIGIN = 'https://dashboard.example.com';

const corsHeaders = ({ headers }: HttpAnswer) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')));

eachMode(
  'Pages of another origin',
  (glimpse) => {
    const send = (method: string, path: string, headers: Record<string, string> = {}) =>
      request(method, `${glimpse().url}${path}`, { headers });
    const preflight = (path: string, headers: Record<string, string>) =>
      send('OPTIONS', path, { origin: ORIGIN, ...headers });

    it('may ask what they are allowed to, on every path and without a token', async () => {
      for (const path of ['/', '/v2/images', '/v2/images/x/file', '/nowhere', '/healthcheck']) {
        const answer = await preflight(path, {
          'access-control-request-method': 'PUT',
          'access-control-request-headers': 'X-Auth-Token, content-type',
        });

        expect(answer.status).toBe(200);
        expect(answer.text).toBe('');
        expect(corsHeaders(answer)).toEqual({
          'access-control-allow-origin': ORIGIN,
          'access-control-allow-credentials': 'true',
          'access-control-allow-methods': 'PUT',
          'access-control-allow-headers': 'X-Auth-Token, content-type',
          'access-control-max-age': '600',
        });
      }
    });

    it.each([
      ['another origin', { origin: 'https://evil.example.com', 'access-control-request-method': 'GET' }],
      ['a similar origin', { origin: `${ORIGIN}.evil.com`, 'access-control-request-method': 'GET' }],
      ['a method that is not allowed', { 'access-control-request-method': 'TRACE' }],
      ['no method', {}],
      [
        'a header that is not allowed',
        { 'access-control-request-method': 'GET', 'access-control-request-headers': 'x-evil' },
      ],
    ])('are answered 200 without a word of permission: %s', async (_what, headers) => {
      const answer = await preflight('/v2/images', headers);

      expect(answer.status).toBe(200);
      expect(corsHeaders(answer)).toEqual({});
    });

    it('may read answers, and refusals too', async () => {
      for (const [path, status] of [
        ['/v2/schemas/image', 401],
        ['/versions', 200],
        ['/nowhere', 300],
      ] as const) {
        const answer = await send('GET', path, { origin: ORIGIN });

        expect(answer.status).toBe(status);
        expect(answer.headers.get('vary')).toContain('Origin');
        expect(corsHeaders(answer)).toEqual({
          'access-control-allow-origin': ORIGIN,
          'access-control-allow-credentials': 'true',
          'access-control-expose-headers': expect.stringContaining('X-OpenStack-Request-ID'),
        });
      }
    });

    it('of others are served without a word of it', async () => {
      const answer = await send('GET', '/versions', { origin: 'https://evil.example.com' });

      expect(answer.status).toBe(200);
      expect(corsHeaders(answer)).toEqual({});
      expect(answer.headers.get('vary')).toContain('Origin');
    });
  },
  {
    auth: 'headers',
    env: { GLIMPSE_CORS_ALLOWED_ORIGINS: ORIGIN, GLIMPSE_CORS_MAX_AGE_SECONDS: '600' },
  },
);

describe('CORS', () => {
  eachMode(
    'for every origin',
    (glimpse) => {
      it('never lets credentials along', async () => {
        const answer = await request('GET', `${glimpse().url}/versions`, {
          headers: { origin: 'https://any.example.com' },
        });

        expect(corsHeaders(answer)).toMatchObject({ 'access-control-allow-origin': '*' });
        expect(answer.headers.has('access-control-allow-credentials')).toBe(false);
      });
    },
    { env: { GLIMPSE_CORS_ALLOWED_ORIGINS: '*' } },
  );

  eachMode('unless configured', (glimpse) => {
    it('is not spoken of', async () => {
      const answer = await request('GET', `${glimpse().url}/versions`, { headers: { origin: ORIGIN } });

      expect(corsHeaders(answer)).toEqual({});
      expect(answer.headers.has('vary')).toBe(false);
    });
  });
});

import { describe, expect, it } from '@jest/globals';
import { findVersion3 } from './version-discovery.js';

const link = (href: string) => ({ id: 'v3.14', status: 'stable', links: [{ rel: 'self', href }] });
const answering = (status: number, body?: unknown) => {
  const asked: string[] = [];
  return {
    asked,
    send: (_operation: string, { url }: { url: string }) => {
      asked.push(url);
      return Promise.resolve({ status, headers: {}, body });
    },
  };
};

describe('findVersion3', () => {
  it.each(['http://ks:5000/v3', 'http://ks:5000/v3/', 'https://ks/identity/v3'])(
    'takes %s for what it says',
    async (url) => {
      const http = answering(500);

      expect(await findVersion3(http, url)).toBe(url.replace(/\/$/, ''));
      expect(http.asked).toEqual([]);
    },
  );

  it('finds the path among the versions', async () => {
    const old = { ...link('http://ks/v2.0/'), id: 'v2.0' };
    const http = answering(300, { versions: { values: [old, link('http://ks/identity/v3/')] } });

    expect(await findVersion3(http, 'http://ks/identity/')).toBe('http://ks/identity/v3');
    expect(http.asked).toEqual(['http://ks/identity/']);
  });

  it('goes to no other host, nor from TLS to none, whatever Keystone calls itself', async () => {
    const http = answering(300, { versions: { values: [link('http://inside:5000/v3/')] } });

    expect(await findVersion3(http, 'https://ks')).toBe('https://ks/v3');
  });

  it.each([
    [404, undefined],
    [200, { hello: 'world' }],
    [200, 'text'],
  ])('tries /v3 where there is no list: %j', async (status, body) => {
    expect(await findVersion3(answering(status, body), 'http://ks')).toBe('http://ks/v3');
  });

  it('refuses a Keystone without version 3', async () => {
    const http = answering(300, { versions: { values: [{ ...link('http://ks/v2.0'), id: 'v2.0' }] } });

    await expect(findVersion3(http, 'http://ks')).rejects.toMatchObject({ code: 'IDENTITY_UNAVAILABLE' });
  });
});

import { describe, expect, it } from '@jest/globals';
import { routeUrl } from './route-url.js';
import { acceptedLabels, versionsDocument } from './versions.js';

const without = {};
const withCache = { dir: '/cache' };
const single = acceptedLabels({ isMultiStore: false, cache: without });
const multi = acceptedLabels({ isMultiStore: true, cache: without });

describe('routeUrl', () => {
  it.each([
    ['/v2/images', '/v2/images'],
    ['/v2.7/images?a=//', '/v2/images?a=//'],
    ['//v2.17//images', '/v2/images'],
    ['/v2', '/v2'],
    ['/v2?x', '/v2?x'],
    ['/v2.0', '/v2'],
    ['/v2/', '/v2/'],
    ['/v2/images/', '/v2/'],
    ['/v2/images/?a=1', '/v2/?a=1'],
    ['/v2/images/a%2fb', '/v2/images/a/b'],
    ['/v2/im%61ges', '/v2/images'],
    ['/%76%32/images/x/f%69l%65?a=%61', '/v2/images/x/file?a=%61'],
    ['/v2/m%65tadefs/namespaces/a%2Fb', '/v2/metadefs/namespaces/a%2Fb'],
    ['/v2/images/%2561%20%40', '/v2/images/%2561%20%40'],
    ['/v2.5/metadefs/namespaces/a%2Fb', '/v2/metadefs/namespaces/a%2Fb'],
    ['/v2/images/100%', '/v2/images/100%25'],
    ['/v2/images/\u00c3\u00a9', '/v2/images/%c3%a9'],
    ['http://host:1/v2.1/images', '/v2/images'],
    ['/', '/'],
    ['', '/'],
    ['*', '/'],
    ['/images', '/'],
    ['/v1/images', '/'],
    ['/v2.8/images', '/'],
    ['/v2.14/images', '/'],
    ['/v2.18', '/'],
    ['/V2/images', '/'],
    ['/v2x', '/'],
    ['/versions', '/versions'],
    ['/versions/x?y', '/versions'],
    ['/versionsx', '/'],
    ['/healthcheck/deep', '/healthcheck'],
    ['/metrics', '/metrics'],
    ['/metrics/', '/'],
  ])('leads %s to %s', (url, routed) => {
    expect(routeUrl(url, undefined, single)).toBe(routed);
  });

  it('accepts more labels where there are several stores', () => {
    expect(routeUrl('/v2.8/images', undefined, multi)).toBe('/v2/images');
  });

  it.each([
    ['/images', 'v2', '/v2/images'],
    ['/v2/images', 'v2', '/v2/v2/images'],
    ['/', 'v2.1', '/v2/'],
    ['/images', 'v9', '/'],
    ['/images', 'v2, text/html', '/'],
    ['/versions', 'v2', '/versions'],
  ])('leads %s with media type label %s to %s', (url, label, routed) => {
    expect(routeUrl(url, `application/vnd.openstack.images-${label}`, single)).toBe(routed);
  });
});

describe('versionsDocument', () => {
  const ids = (isMultiStore: boolean, cache: { dir?: string }) =>
    versionsDocument({ isMultiStore, cache }, 'http://h')
      .versions.map(({ id }) => id.slice(1))
      .join(' ');

  it('lists what each deployment has, in the order of Glance', () => {
    expect(ids(false, without)).toBe('2.15 2.9 2.17 2.7 2.6 2.5 2.4 2.3 2.2 2.1 2.0');
    expect(ids(true, without)).toBe('2.15 2.13 2.12 2.11 2.10 2.9 2.8 2.17 2.7 2.6 2.5 2.4 2.3 2.2 2.1 2.0');
    expect(ids(false, withCache)).toBe('2.18 2.17 2.16 2.15 2.14 2.9 2.7 2.6 2.5 2.4 2.3 2.2 2.1 2.0');
    expect(ids(true, withCache)).toBe(
      '2.18 2.17 2.16 2.15 2.14 2.13 2.12 2.11 2.10 2.9 2.8 2.7 2.6 2.5 2.4 2.3 2.2 2.1 2.0',
    );
  });

  it.each([
    [without, 'v2.17'],
    [withCache, 'v2.18'],
  ])('has one current version and the same link everywhere (%j)', (cache, current) => {
    const { versions } = versionsDocument({ isMultiStore: false, cache }, 'http://h:1/x');

    expect(versions.filter(({ status }) => status === 'CURRENT').map(({ id }) => id)).toEqual([current]);
    expect(new Set(versions.map(({ links }) => links[0]?.href))).toEqual(new Set(['http://h:1/x/v2/']));
  });

  it('takes the labels of the cache only with a cache', () => {
    const cached = acceptedLabels({ isMultiStore: false, cache: withCache });

    for (const label of ['v2.14', 'v2.16', 'v2.18'])
      expect([cached.has(label), single.has(label)]).toEqual([true, false]);
  });
});

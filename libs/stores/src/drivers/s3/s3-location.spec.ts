import { describe, expect, it } from '@jest/globals';
import { keyOfLocation, locationOf } from './s3-location.js';

const place = (url: string, bucket = 'glance') => ({ endpoint: new URL(url), bucket });

describe('keyOfLocation', () => {
  it.each([
    ['s3://host/glance/id', 'id'],
    ['s3+http://host/glance/id', 'id'],
    ['s3+https://host/glance/id', 'id'],
    ['s3://HOST/glance/id', 'id'],
    ['s3://access:secret@host/glance/id', 'id'],
    ['s3+https://access:sec/ret+with/slashes@host/glance/id', 'id'],
    ['s3://access:host/glance/x@host/glance/id', 'id'],
    ['s3://tenant:user:secret@host/glance/id', 'id'],
    ['s3://host/glance/folder/id', 'folder/id'],
    ['s3://host/Glance/id', undefined],
    ['s3://host/glance', undefined],
    ['s3://host/glance/', undefined],
    ['s3://host:9000/glance/id', undefined],
    ['s3://other/glance/id', undefined],
    ['s3://access@host/glance/id', undefined],
    ['s3://access:secret@other/glance/id', undefined],
    ['s3://s3://host/glance/id', undefined],
    ['swift://host/glance/id', undefined],
    ['https://host/glance/id', undefined],
  ])('%s: %s', (uri, key) => {
    expect(keyOfLocation(place('http://host'), uri)).toBe(key);
  });

  it('knows ports and paths of an endpoint', () => {
    expect(keyOfLocation(place('https://host:9000/s3/'), 's3+https://host:9000/s3/glance/id')).toBe('id');
    expect(keyOfLocation(place('https://host:9000/s3/'), 's3+https://host:9000/glance/id')).toBeUndefined();
  });
});

describe('locationOf', () => {
  it('is as Glance writes it, without credentials', () => {
    expect(locationOf(place('https://s3.example.org/'), 'id')).toBe('s3+https://s3.example.org/glance/id');
    expect(locationOf(place('http://host:7480'), 'id')).toBe('s3://host:7480/glance/id');
  });
});

import { describe, expect, it } from '@jest/globals';
import { parsePrefer } from './prefer.js';
import { parseUploadHeaders } from './upload-headers.js';

const octets = { 'content-type': 'application/octet-stream' };
const one = { isMultiStore: false, ids: ['file'] };
const several = { isMultiStore: true, ids: ['a', 'b'] };

describe('parseUploadHeaders', () => {
  it.each([undefined, '', 'text/plain', 'Application/Octet-Stream', 'application/octet-streams'])(
    'refuses content type %s with 415',
    (contentType) => {
      expect(() =>
        parseUploadHeaders(contentType === undefined ? {} : { 'content-type': contentType }, one),
      ).toThrow(expect.objectContaining({ status: 415 }));
    },
  );

  it.each([
    [{}, 0],
    [{ 'content-length': '5' }, 5],
    [{ 'transfer-encoding': 'chunked' }, undefined],
    [{ 'transfer-encoding': 'chunked', 'x-openstack-image-size': '7' }, 7],
    [{ 'content-length': '5', 'x-openstack-image-size': '+7' }, 7],
    [{ 'content-length': '5', 'x-openstack-image-size': '0' }, undefined],
  ])('reads the size from %j', (headers, size) => {
    expect(parseUploadHeaders({ ...octets, ...headers }, one).size).toBe(size);
  });

  it.each(['', 'x', '1.5', '0x10', '99999999999999999999'])('refuses size "%s"', (size) => {
    expect(() => parseUploadHeaders({ ...octets, 'x-openstack-image-size': size }, one)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    );
  });

  it('takes a negative size for one that never matches', () => {
    expect(() => parseUploadHeaders({ ...octets, 'x-openstack-image-size': '-1' }, one)).toThrow(
      expect.objectContaining({ code: 'IMAGE_SIZE_MISMATCH' }),
    );
  });

  it('reads the store only where there are several', () => {
    expect(parseUploadHeaders({ ...octets, 'x-image-meta-store': 'x' }, one).storeId).toBeUndefined();
    expect(parseUploadHeaders({ ...octets, 'x-image-meta-store': 'b' }, several).storeId).toBe('b');
    expect(parseUploadHeaders(octets, several).storeId).toBeUndefined();
  });

  it.each(['', 'c'])('refuses the store "%s"', (store) => {
    expect(() => parseUploadHeaders({ ...octets, 'x-image-meta-store': store }, several)).toThrow(
      expect.objectContaining({ code: 'STORE_UNKNOWN' }),
    );
  });
});

describe('parsePrefer', () => {
  it('names stores in their order', () => {
    expect(parsePrefer([['prefer', 'b, a']], several)).toEqual(['b', 'a']);
    expect(parsePrefer([['prefer', '']], one)).toEqual([]);
    expect(parsePrefer([], one)).toEqual([]);
  });

  it('refuses unknown stores, and any where there is only one', () => {
    expect(() => parsePrefer([['prefer', 'a,c']], several)).toThrow(
      expect.objectContaining({ code: 'STORE_UNKNOWN' }),
    );
    expect(() => parsePrefer([['prefer', 'file']], one)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    );
  });
});

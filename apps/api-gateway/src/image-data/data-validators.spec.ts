import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { entityTagOf, reprDigestOf } from './data-validators.js';

const hex = (algorithm: string) => createHash(algorithm).update('data').digest('hex');
const hashed = { checksum: hex('md5'), osHashAlgo: 'sha512', osHashValue: hex('sha512') };

describe('entityTagOf', () => {
  it('is the hash, else the checksum, else nothing', () => {
    expect(entityTagOf(hashed)).toBe(`"sha512-${hex('sha512')}"`);
    expect(entityTagOf({ checksum: hex('md5'), osHashAlgo: null, osHashValue: null })).toBe(
      `"md5-${hex('md5')}"`,
    );
    expect(entityTagOf({ checksum: null, osHashAlgo: null, osHashValue: null })).toBeUndefined();
  });

  it.each(['', 'a"b', 'x\r\ny: z', 'abc'])('does not let %j into a header', (osHashValue) => {
    expect(entityTagOf({ checksum: osHashValue, osHashAlgo: 'sha512', osHashValue })).toBeUndefined();
  });
});

describe('reprDigestOf', () => {
  const digest = `sha-512=:${createHash('sha512').update('data').digest('base64')}:`;

  it.each([
    ['sha-512=1', digest],
    ['sha-256=10, sha-512=3', digest],
    ['sha-512=0', undefined],
    ['sha-256=10', undefined],
    ['sha-512', undefined],
    [undefined, undefined],
  ])('%s: %s', (wanted, expected) => {
    expect(reprDigestOf(hashed, wanted)).toBe(expected);
  });

  it('has no name for the other hashes', () => {
    expect(reprDigestOf({ ...hashed, osHashAlgo: 'sha1' }, 'sha-1=1, sha=1')).toBeUndefined();
  });
});

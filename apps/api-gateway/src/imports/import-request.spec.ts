import { describe, expect, it } from '@jest/globals';
import { parseImportRequest } from './import-request.js';

const methods = ['glance-direct', 'web-download', 'copy-image', 'glance-download'];
const parse = (method: object) => parseImportRequest({ method }, undefined, methods);
const download = { name: 'web-download', uri: 'http://user:secret@example.org/disk' };
const VALUE = 'A'.repeat(64);

describe('parseImportRequest', () => {
  it('takes an expected digest, in any case of letters', () => {
    const { method } = parse({ ...download, expected_digest: { algorithm: 'sha256', value: VALUE } });

    expect(method).toMatchObject({ expectedDigest: { algorithm: 'sha256', value: VALUE.toLowerCase() } });
  });

  it.each([
    ['of an unknown algorithm', { ...download, expected_digest: { algorithm: 'crc32', value: '00000000' } }],
    ['of another length', { ...download, expected_digest: { algorithm: 'sha512', value: VALUE } }],
    [
      'that is not hexadecimal',
      { ...download, expected_digest: { algorithm: 'sha256', value: 'x'.repeat(64) } },
    ],
    ['with more in it', { ...download, expected_digest: { algorithm: 'sha256', value: VALUE, more: 1 } }],
    ['of what was staged', { name: 'glance-direct', expected_digest: { algorithm: 'sha256', value: VALUE } }],
  ])('refuses a digest %s', (_what, method) => {
    expect(() => parse(method)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it('shows no password in the task', () => {
    expect(JSON.stringify(parse(download).body)).not.toContain('secret');
  });

  it('leaves it to the registry to say what a glance-download lacks', () => {
    expect(parse({ name: 'glance-download' }).method).toEqual({
      name: 'glance-download',
      region: null,
      imageId: null,
      serviceInterface: 'public',
      remote: null,
    });
  });
});

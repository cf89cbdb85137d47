import { describe, expect, it } from '@jest/globals';
import { strike, withoutLongWords } from './without-secrets.js';

describe('strike', () => {
  it('strikes out what holds credentials, wherever it is, and says what that was', () => {
    const { kept, struck } = strike({
      request_id: 'r',
      auth: { token: 't' },
      args: [{ admin_password: 'p', source: { uri: 'https://me:secret@host/disk?sig=secret#x' } }],
      _context_auth_token: 't',
      _context_roles: ['member'],
      _context_service_catalog: [{ anything: 'in it' }],
      _context_trust_secret: null,
      count: 3,
    });

    expect(kept).toEqual({
      request_id: 'r',
      auth: '***',
      args: [{ admin_password: '***', source: { uri: 'https://***@host/disk?***#x' } }],
      _context_auth_token: '***',
      _context_roles: ['member'],
      _context_service_catalog: '***',
      _context_trust_secret: null,
      count: 3,
    });
    // The catalog of services nobody misses.
    expect(struck).toEqual(['auth', 'args.admin_password', 'args.source.uri', '_context_auth_token']);
  });
});

describe('a URL that is written in another way', () => {
  it.each([
    [' https://me:pw@host/disk', ' https://***@host/disk'],
    ['http:me:pw@host/disk', 'http:***@host/disk'],
    ['http:\\\\me:pw@host/disk', 'http:\\\\***@host/disk'],
    ['http:///me:pw@host/disk', 'http:///***@host/disk'],
    ['a note: nothing else', 'a note: nothing else'],
  ])('has no secrets either: %s', (written, kept) => {
    expect(strike(written).kept).toBe(kept);
  });
});

describe('withoutLongWords', () => {
  it('strikes out the secrets of URLs, however short they are', () => {
    const text = '{"uri": "http://me:pw@host/disk?sig=s", "name": "why?", broken';

    expect(withoutLongWords(text)).toBe('{"uri": "http://***host/disk?***", "name": "why?", broken');
  });

  it('strikes out every word that may be a token, and keeps what tells what it was', () => {
    const text = `{"request_id": "r-1", "auth": {"token": gAAAAABl${'x_-'.repeat(60)}==, broken`;

    expect(withoutLongWords(text)).toBe('{"request_id": "r-1", "auth": {"token": ***, broken');
  });
});

import { describe, expect, it } from '@jest/globals';
import { withoutLongWords, withoutSecrets } from './without-secrets.js';

describe('withoutSecrets', () => {
  it('strikes out what holds credentials, wherever it is', () => {
    const kept = withoutSecrets({
      request_id: 'r',
      auth: { token: 't' },
      args: [{ admin_password: 'p', source: { uri: 'https://me:secret@host/disk?sig=secret#x' } }],
      _context_auth_token: 't',
      _context_roles: ['member'],
      count: 3,
    });

    expect(kept).toEqual({
      request_id: 'r',
      auth: '***',
      args: [{ admin_password: '***', source: { uri: 'https://***@host/disk?***#x' } }],
      _context_auth_token: '***',
      _context_roles: '***',
      count: 3,
    });
  });
});

describe('withoutLongWords', () => {
  it('strikes out every word that may be a token, and keeps what tells what it was', () => {
    const text = `{"request_id": "r-1", "auth": {"token": gAAAAABl${'x_-'.repeat(60)}==, broken`;

    expect(withoutLongWords(text)).toBe('{"request_id": "r-1", "auth": {"token": ***, broken');
  });
});

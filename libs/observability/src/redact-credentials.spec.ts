import { describe, expect, it } from '@jest/globals';
import { redactCredentials } from './index.js';

describe('redactCredentials', () => {
  it.each([
    ['mysql://user:secret@host/db', 'mysql://***@host/db'],
    ['swift+https://acc%3Auser:secret@host/v1', 'swift+https://***@host/v1'],
    ['at http://a:secret@h and amqp://b:secret@h', 'at http://***@h and amqp://***@h'],
    ['http://user:se@cr:et@host/x@y', 'http://***@host/x@y'],
    [
      '/v2/images?name=https%3A%2F%2Fuser%3Asecret%40host%2Fx',
      '/v2/images?name=https%3A%2F%2F***%40host%2Fx',
    ],
    ['/v2/images?name=https://user:secret@host/x', '/v2/images?name=https://***@host/x'],
  ])('cuts the credentials out of %s', (text, clean) => {
    expect(redactCredentials(text)).toBe(clean);
  });

  it('takes no time over a long text', () => {
    const started = performance.now();

    redactCredentials('a.'.repeat(500_000));
    redactCredentials('a://'.repeat(250_000));
    redactCredentials(`a://${'b@'.repeat(500_000)}/`);

    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it.each([
    'http://host/a@b',
    'file:///a',
    '"http://host", "a@b"',
    'mail me@example.com',
    'https%3A%2F%2Fhost%2Fa%40b',
  ])('leaves %s alone', (text) => {
    expect(redactCredentials(text)).toBe(text);
  });
});

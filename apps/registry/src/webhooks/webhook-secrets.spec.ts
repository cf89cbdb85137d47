import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@glimpse/config';
import { createLogger } from '@glimpse/observability';
import { Webhook } from 'standardwebhooks';
import { RegistrySettings } from '../registry-settings.js';
import { WebhookSecrets, newSecret, signaturesOf } from './webhook-secrets.js';

const aKey = () => randomBytes(32).toString('base64');
const secretsWith = (...keys: string[]) =>
  new WebhookSecrets(
    new RegistrySettings(
      loadConfig({ GLIMPSE_WEBHOOKS_SECRET_KEYS: keys.join(',') }),
      'registry-1',
      createLogger('registry', { level: 'silent' }),
    ),
  );

describe('WebhookSecrets', () => {
  it('are stored as they are where there is no key', () => {
    const secret = newSecret();

    expect(secretsWith().seal(secret, 'w')).toBe(secret);
    expect(secretsWith().open(secret, 'w')).toBe(secret);
  });

  it('are opened by the key that closed them, and by it alone', () => {
    const [key, other] = [aKey(), aKey()];
    const secret = newSecret();
    const sealed = secretsWith(key).seal(secret, 'w');

    expect(sealed).not.toContain(secret.slice(6));
    expect(sealed.length).toBeLessThanOrEqual(255);
    expect(secretsWith(key).open(sealed, 'w')).toBe(secret);
    // A new key in front of it: those that were closed before are still opened.
    expect(secretsWith(other, key).open(sealed, 'w')).toBe(secret);
    expect(secretsWith(other).open(sealed, 'w')).toBeUndefined();
    expect(secretsWith().open(sealed, 'w')).toBeUndefined();
  });

  it('belong to their webhook, and can not be changed', () => {
    const key = aKey();
    const sealed = secretsWith(key).seal(newSecret(), 'w');

    expect(secretsWith(key).open(sealed, 'another')).toBeUndefined();
    expect(secretsWith(key).open(`${sealed.slice(0, -6)}AAAAA=`, 'w')).toBeUndefined();
    expect(secretsWith(key).open('sealed:', 'w')).toBeUndefined();
  });

  it('fit their column at their longest', () => {
    const longest = `whsec_${randomBytes(64).toString('base64')}`;

    expect(secretsWith(aKey()).seal(longest, 'w').length).toBeLessThanOrEqual(255);
  });

  it('are refused with keys that are none', () => {
    expect(() => secretsWith('short')).toThrow('webhooks.secret_keys: must be keys of 32 bytes');
  });
});

describe('signaturesOf', () => {
  it('signs as the library of Standard Webhooks does', () => {
    const [secret, old] = [newSecret(), newSecret()];
    const message = { id: 'm1', timestamp: 1_767_225_600, payload: '{"name":"Bäume 🌳"}' };
    const sign = (key: string) =>
      new Webhook(key).sign(message.id, new Date(message.timestamp * 1_000), message.payload);

    expect(signaturesOf([secret, old], message)).toBe(`${sign(secret)} ${sign(old)}`);
  });
});

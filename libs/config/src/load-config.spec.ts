import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigError, listOptions, loadConfig } from './index.js';

describe('loadConfig', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'glimpse-config-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const fromFile = (text: string, environment: NodeJS.ProcessEnv = {}) => {
    const path = join(folder, 'glimpse.yaml');
    writeFileSync(path, text);
    return loadConfig({ GLIMPSE_CONFIG: path, ...environment });
  };

  it('needs nothing to be set', () => {
    const config = loadConfig({ GLIMPSE_DATA_DIR: '/srv/glimpse' });

    expect(config.databaseUrl).toBe('sqlite:/srv/glimpse/glimpse.sqlite');
    expect(config.stores).toEqual({ file: { type: 'file', weight: 0, datadir: '/srv/glimpse/images' } });
    expect(config.isMultiStore).toBe(false);
  });

  it('lets the environment win over the file', () => {
    const config = fromFile('port: 1\nlimits:\n  property_quota: 7\n  tag_quota: 8\n', {
      GLIMPSE_LIMITS_PROPERTY_QUOTA: '9',
      GLIMPSE_IMAGES_DISK_FORMATS: 'raw, qcow2',
    });

    expect(config.port).toBe(1);
    expect(config.limits).toMatchObject({ propertyQuota: 9, tagQuota: 8 });
    expect(config.images.diskFormats).toEqual(['raw', 'qcow2']);
  });

  it('takes stores from the environment as YAML and leaves their keys alone', () => {
    const config = loadConfig({
      GLIMPSE_STORES:
        '{fast_one: {type: file, datadir: /a}, slow: {type: file, datadir: /b, file_perm: 640}}',
      GLIMPSE_DEFAULT_STORE: 'fast_one',
    });

    expect(Object.keys(config.stores)).toEqual(['fast_one', 'slow']);
    expect(config.stores['slow']).toMatchObject({ file_perm: 640 });
    expect(config.isMultiStore).toBe(true);
  });

  it('names every bad key at once', () => {
    const load = () => fromFile('port: many\nnonsense: 1\nauth: maybe\n', { GLIMPSE_TYPO: '1' });

    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/GLIMPSE_TYPO[\s\S]*port[\s\S]*auth[\s\S]*nonsense/);
  });

  it.each([
    ['bus_url', { GLIMPSE_BUS_URL: 'amqp://user:secret@' }],
    ['bus_url', { GLIMPSE_BUS_URL: 'amqp://user:secret@host:port/vhost' }],
    ['database_url', { GLIMPSE_DATABASE_URL: 'mysql://user:secret@' }],
    ['database_url', { GLIMPSE_DATABASE_URL: 'mysql://user:secret@host' }],
    ['data_dir', { GLIMPSE_DATA_DIR: '' }],
    ['GLIMPSE_STORES', { GLIMPSE_STORES: '{a: {token: secret' }],
  ])('refuses a %s that cannot work, without its password: %j', (key, environment) => {
    const load = () => loadConfig(environment);

    expect(load).toThrow(key);
    expect(load).not.toThrow(/secret/);
  });

  it.each([
    ['oidc.issuer', { GLIMPSE_AUTH: 'oidc' }],
    ['oidc.audience', { GLIMPSE_AUTH: 'oidc', GLIMPSE_OIDC_ISSUER: 'https://id.example.com' }],
    [
      'oidc.allow_http',
      { GLIMPSE_AUTH: 'oidc', GLIMPSE_OIDC_ISSUER: 'http://id.example.com', GLIMPSE_OIDC_AUDIENCE: 'g' },
    ],
    ['oidc.algorithms', { GLIMPSE_OIDC_ALGORITHMS: 'RS256,HS256' }],
    ['cors.allowed_origins', { GLIMPSE_CORS_ALLOWED_ORIGINS: 'https://a.example.com/' }],
    ['http.trusted_proxies', { GLIMPSE_HTTP_TRUSTED_PROXIES: '10.0.0.0/33' }],
    ['bus.tls.key_file', { GLIMPSE_BUS_TLS_CERT_FILE: '/cert.pem' }],
    ['TLS is disabled', { GLIMPSE_DATABASE_TLS_CA_FILE: '/ca.pem' }],
    [
      'needs a host name',
      { GLIMPSE_DATABASE_TLS_MODE: 'verify_identity', GLIMPSE_DATABASE_URL: 'mysql://u:p@10.0.0.1/db' },
    ],
  ])('refuses options that do not work together: %s', (key, environment) => {
    expect(() => loadConfig(environment as NodeJS.ProcessEnv)).toThrow(key);
  });

  it('takes the mapping of roles from the environment, as it is written', () => {
    const { oidc } = loadConfig({ GLIMPSE_OIDC_ROLE_MAPPING: '{image_admins: [admin], "Some One": reader}' });

    expect(oidc.roleMapping).toEqual({ image_admins: ['admin'], 'Some One': ['reader'] });
  });

  it('refuses a default store that does not exist', () => {
    expect(() => loadConfig({ GLIMPSE_DEFAULT_STORE: 'other' })).toThrow(/default_store: "other"/);
  });

  it('can not be changed afterwards', () => {
    const config = loadConfig({});

    expect(() => Object.assign(config.limits, { tagQuota: 1 })).toThrow(TypeError);
  });

  it('describes every option', () => {
    expect(listOptions().filter((option) => option.description === '')).toEqual([]);
  });
});

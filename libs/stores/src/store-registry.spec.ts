import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@glimpse/config';
import { createLogger } from '@glimpse/observability';
import { type StoreRegistry, createStores } from './store-registry.js';

const logger = createLogger('test', { level: 'silent' });

describe('createStores', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glimpse-stores-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const open = (stores?: Record<string, object>, defaultStore = 'fast'): StoreRegistry =>
    createStores(
      loadConfig({
        GLIMPSE_DATA_DIR: folder,
        ...(stores === undefined
          ? {}
          : { GLIMPSE_STORES: JSON.stringify(stores), GLIMPSE_DEFAULT_STORE: defaultStore }),
      }),
      logger,
    );
  const two = () => ({
    slow: { type: 'file', datadir: `${folder}/slow`, weight: 5, description: 'big' },
    fast: { type: 'file', datadir: `${folder}/fast` },
    web: { type: 'http' },
  });
  const stored = (uri: string) => ({ location: { uri }, size: 1, metadata: { id: 'nfs' } });

  it('has one file store in the data directory where nothing is configured', () => {
    const stores = open();

    expect(stores.ids).toEqual(['file']);
    expect(stores.describe(stores.defaultId)).toMatchObject({
      type: 'file',
      isDefault: true,
      isReadOnly: false,
    });
    expect(stores.toImageLocation('file', stored('file:///x')).metadata).toEqual({ id: 'nfs' });
  });

  it('describes the stores', () => {
    const stores = open(two());

    expect(stores.describe('slow')).toEqual({
      id: 'slow',
      type: 'file',
      description: 'big',
      weight: 5,
      isDefault: false,
      isReadOnly: false,
      properties: { data_dir: `${folder}/slow`, chunk_size: 524_288, thin_provisioning: false },
    });
    expect(stores.describe('web')).toMatchObject({ isReadOnly: true, properties: {} });
    expect(stores.find('tape')).toBeUndefined();
    expect(() => stores.get('tape')).toThrow(expect.objectContaining({ code: 'STORE_UNKNOWN' }));
  });

  it('records the store of a location where there are several, and finds it again', () => {
    const stores = open(two());
    const location = stores.toImageLocation('slow', stored(`file://${folder}/slow/x`));

    expect(location.metadata).toEqual({ id: 'nfs', store: 'slow' });
    expect(stores.resolve(location)).toMatchObject({ storeId: 'slow', driver: stores.get('slow') });
    const olderRow = { url: location.url, metadata: { backend: 'slow' } };
    expect(stores.resolve(olderRow)).toMatchObject({ storeId: 'slow' });
  });

  it('finds the store of a location that names none by what it looks like', () => {
    const stores = open(two());
    const storeOf = (url: string) => stores.resolve({ url, metadata: {} }).storeId;

    expect(storeOf(`file://${folder}/fast/x`)).toBe('fast');
    expect(storeOf(`filesystem://${folder}/slow/x`)).toBe('slow');
    expect(storeOf('https://example.org/x')).toBe('web');
  });

  it.each([
    ['file:///etc/passwd', {}, 'STORE_LOCATION_INVALID'],
    ['rbd://x/y', {}, 'STORE_LOCATION_INVALID'],
    ['https://example.org/x', { store: 'fast' }, 'STORE_LOCATION_INVALID'],
    ['https://example.org/x', { store: 'tape' }, 'STORE_UNKNOWN'],
  ])('refuses %s with %j', (url, metadata, code) => {
    expect(() => open(two()).resolve({ url, metadata })).toThrow(expect.objectContaining({ code }));
  });

  it("refuses two stores that would remove each other's data", async () => {
    await symlink(folder, `${folder}-link`);
    const store = (datadir: string) => ({ type: 'file', datadir });

    expect(() => open({ a: store(`${folder}/x`), b: store(`${folder}-link/x`) }, 'a')).toThrow(
      /stores\.b: keeps its data in .*\/x, and so does stores\.a/,
    );
    expect(() => open({ a: store(`${folder}/x`), b: store(`${folder}/x/y`) }, 'a')).not.toThrow();
    await rm(`${folder}-link`);
  });

  it('names every option that is wrong', async () => {
    await writeFile(`${folder}/taken`, '');
    const datadir = `${folder}/a`;
    const problems: Record<string, object> = {
      'type: "tape" is not one of': { type: 'tape' },
      'datadir: set either': { type: 'file' },
      'datadir: must be an absolute path': { type: 'file', datadir: 'here' },
      'datadir: set either datadir or datadirs': { type: 'file', datadir, datadirs: ['/b'] },
      'datadirs.0: "x:1" must begin with an absolute path': { type: 'file', datadirs: ['x:1'] },
      'datadirs.0: "/x:high": the priority must be a whole number': { type: 'file', datadirs: ['/x:high'] },
      'datadirs: /x is named twice': { type: 'file', datadirs: ['/x:1', '/x:2'] },
      'file_perm: must let the owner read': { type: 'file', datadir, file_perm: 44 },
      'metadata_file: ': { type: 'file', datadir, metadata_file: `${folder}/none.json` },
      'datadir: ': { type: 'file', datadir: `${folder}/taken` },
      'datdir: no such option': { type: 'file', datadir, datdir: '/x' },
      'https_ca_certificates_file: ': { type: 'http', https_ca_certificates_file: `${folder}/no.pem` },
    };
    const stores = Object.fromEntries(Object.values(problems).map((options, n) => [`s${n}`, options]));

    const attempt = () => open(stores, 's0');

    Object.keys(problems).forEach((text, n) => {
      expect(attempt).toThrow(`stores.s${n}.${text}`);
    });
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TableName, type Tables, readContent, findNamespace } from '@glimpse/persistence';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type MakePlace, databaseUnderTest } from '../database-under-test.conformance.js';
import { loadMetadefs } from '../commands/metadefs.js';
import { defaultDefinitions } from './default-definitions.js';
import { definitionFiles } from './definition-files.js';
import { exportDefinitions } from './export-definitions.js';
import type { LoadMode } from './load-definition.js';
import { unloadDefinitions } from './unload-definitions.js';

const OLD = {
  namespace: 'N',
  display_name: 'The N! (ü)',
  visibility: 'public',
  protected: true,
  resource_type_associations: [{ name: 'T', prefix: 'old_' }],
  properties: { p: { type: 'integer', title: 'Old', default: 5, confidential: true } },
  objects: [
    { name: 'o', description: 'old', required: ['x'], properties: { x: { type: 'string', title: 'X' } } },
  ],
  tags: [{ name: 'old' }],
};
const NEW = {
  namespace: 'N',
  description: 'new',
  owner: 'p1',
  resource_type_associations: [{ name: 'T', prefix: 'new_', properties_target: null }, { name: 'T2' }],
  properties: { p: { type: 'integer', title: 'New' }, q: { type: 'string', title: 'New' } },
  objects: [{ name: 'o', description: 'new' }, { name: 'o2' }],
  tags: [{ name: 'old' }, { name: 'new' }],
};

/** What the operator's command does to metadata definitions. */
export function describeMetadefs(name: string, makePlace: MakePlace): void {
  describe(`metadata definitions in ${name}`, () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'glimpse-metadefs-'));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));
    const database = databaseUnderTest(makePlace);

    const file = (content: unknown, fileName = 'n.json') => {
      const path = join(mkdtempSync(join(folder, 'file-')), fileName);
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
      return path;
    };
    const load = async (content: unknown, mode: LoadMode = 'skip', isRehearsal = false) => {
      const [loaded] = await loadMetadefs(database(), [file(content)], mode, isRehearsal);
      return loaded!;
    };
    const whole = async () => {
      const stored = await findNamespace(database(), 'N');
      return { ...stored?.namespace, ...(await readContent(database(), stored?.id ?? 0)) };
    };
    const rows = <T extends TableName>(table: T) => database().query<Tables[T]>(`SELECT * FROM ${table}`);

    it('are loaded as Glance loads them, and their resource types are marked', async () => {
      expect(await load(OLD)).toMatchObject({ namespace: 'N', outcome: 'created' });

      expect(await whole()).toMatchObject({
        displayName: 'The N! (ü)',
        owner: 'admin',
        protected: true,
        associations: [{ name: 'T', prefix: 'old_' }],
        properties: { p: { title: 'Old', default: '5', confidential: true } },
        objects: [{ name: 'o', required: ['x'] }],
        tags: [{ name: 'old' }],
      });
      expect(await rows('metadef_resource_types')).toMatchObject([{ name: 'T', protected: 1 }]);
    });

    it('are skipped where they are there', async () => {
      await load(OLD);
      const before = await whole();

      expect(await load(NEW)).toMatchObject({ outcome: 'skipped' });

      expect(await whole()).toEqual(before);
    });

    it('are given what they lack by a merge', async () => {
      await load(OLD);

      expect(await load(NEW, 'merge')).toMatchObject({ outcome: 'merged' });

      const merged = await whole();
      expect(merged).toMatchObject({
        description: null,
        owner: 'admin',
        properties: { p: { title: 'Old' }, q: { title: 'New' } },
        associations: [{ name: 'T', prefix: 'old_' }, { name: 'T2' }],
      });
      expect(merged.tags.map((tag) => tag.name).toSorted()).toEqual(['new', 'old']);
      expect(merged.objects.find((object) => object.name === 'o')).toMatchObject({ description: 'old' });
    });

    it('are brought up to the file where the new is preferred', async () => {
      await load(OLD);
      await load({ ...OLD, tags: [{ name: 'kept' }] }, 'merge');

      expect(await load(NEW, 'prefer-new')).toMatchObject({ outcome: 'updated' });

      const merged = await whole();
      expect(merged).toMatchObject({
        displayName: null,
        description: 'new',
        owner: 'p1',
        visibility: 'private',
        properties: { p: { title: 'New' } },
        associations: [{ name: 'T', prefix: 'new_', propertiesTarget: null }, { name: 'T2' }],
      });
      expect(merged.tags.map((tag) => tag.name).toSorted()).toEqual(['kept', 'new', 'old']);
      expect(merged.objects.find((object) => object.name === 'o')).toMatchObject({
        description: 'new',
        required: [],
      });
    });

    it('go first where they are to be overwritten', async () => {
      await load({ ...OLD, tags: [{ name: 'gone' }] });

      expect(await load(NEW, 'overwrite')).toMatchObject({ outcome: 'replaced' });

      expect((await whole()).tags.map((tag) => tag.name).toSorted()).toEqual(['new', 'old']);
      expect(await rows('metadef_namespaces')).toHaveLength(1);
    });

    it('are only looked at in a rehearsal', async () => {
      await load(OLD);

      expect(await load(NEW, 'overwrite', true)).toMatchObject({ outcome: 'replaced' });
      expect(await load({ ...NEW, tags: [{ name: 'x' }, { name: 'x' }] }, 'overwrite', true)).toMatchObject({
        outcome: 'failed',
      });

      expect(await whole()).toMatchObject({ owner: 'admin', tags: [{ name: 'old' }] });
      expect(await rows('metadef_resource_types')).toHaveLength(1);
    });

    it.each([
      ['no JSON', '{', /JSON/],
      ['no object', [], /object/],
      ['no name', { display_name: 'x' }, /namespace/],
      ['a key that is misspelt', { ...OLD, visibilty: 'public' }, /visibilty/],
      ['a property without a type', { ...OLD, properties: { p: { title: 'x' } } }, /properties\.p\.type/],
      ['a long name', { ...OLD, tags: [{ name: 'x'.repeat(81) }] }, /tags\.0\.name/],
      ['the same tag twice', { ...OLD, tags: [{ name: 'x' }, { name: 'x' }] }, /twice/],
      ['a character that the database can not hold', { ...OLD, description: '🙂' }, /Basic Multilingual/],
    ])('are not loaded, and no part of them, from a file with %s', async (_, content, reason) => {
      const loaded = await load(content);

      expect(loaded).toMatchObject({ file: 'n.json', outcome: 'failed' });
      expect(loaded.reason).toMatch(reason);
      expect(await rows('metadef_namespaces')).toEqual([]);
    });

    it('of one file are loaded whatever is wrong with another', async () => {
      const loaded = await loadMetadefs(database(), [file('{'), file(OLD)], 'skip');

      expect(loaded.map(({ outcome }) => outcome)).toEqual(['failed', 'created']);
    });

    it('come back from an export as they were', async () => {
      await load(OLD);
      await load({ ...OLD, namespace: 'Other' });
      const before = await whole();
      const out = join(folder, 'made', 'here');

      const files = await exportDefinitions(database(), out);
      const deleted = await unloadDefinitions(database());
      const loaded = await loadMetadefs(database(), await definitionFiles(out), 'skip');

      expect(files).toEqual(['TheNü.json', 'TheNü-2.json']);
      expect(JSON.parse(readFileSync(join(out, 'TheNü.json'), 'utf8'))).toMatchObject({ namespace: 'N' });
      expect(deleted).toMatchObject({ metadef_namespaces: 2, metadef_tags: 2, metadef_resource_types: 1 });
      expect(loaded.map(({ outcome }) => outcome)).toEqual(['created', 'created']);
      const times = { createdAt: expect.anything(), updatedAt: expect.anything() };
      expect(await whole()).toEqual({
        ...before,
        ...times,
        associations: before.associations.map((one) => ({ ...one, ...times })),
        objects: before.objects.map((one) => ({ ...one, ...times })),
        tags: before.tags.map((one) => ({ ...one, ...times })),
      });
    });

    it('that come with Glimpse are all good, and public', async () => {
      const files = await definitionFiles(defaultDefinitions());

      const loaded = await loadMetadefs(database(), files, 'skip');

      expect(loaded.filter(({ outcome }) => outcome !== 'created')).toEqual([]);
      expect(loaded.length).toBeGreaterThan(20);
      expect(await database().query("SELECT 1 FROM metadef_namespaces WHERE visibility <> 'public'")).toEqual(
        [],
      );
    });
  });
}

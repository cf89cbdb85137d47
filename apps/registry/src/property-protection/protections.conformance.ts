import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageChange } from '@glimpse/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anOrder } from '../snapshots/snapshot-tools.conformance.js';
import { tellWebhooks } from '../webhooks/webhooks.conformance.js';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  aQuery,
  anAdmin,
  startRegistryOn,
  storedAt,
} from '../registry-harness.conformance.js';

const ROLES = `
[^secret_.*]
create = admin
read = admin, Auditor
update = admin
delete = admin

[^once_.*]
create = @
read = @
update = !
delete = admin

[^(image_state|inherited)$]
create = admin
read = @
update = @
delete = @

[.*]
create = @
read = @
update = @
delete = @
`;

export function describeProtections(_registry: () => RegistryUnderTest, url: () => string): void {
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-protections-'));
  const path = join(folder, 'property-protections.conf');
  const owner = aCaller('p1');
  const auditor = aCaller('p1', 'auditor', 'reader');
  const admin = anAdmin();
  let registry: RegistryUnderTest;
  beforeAll(async () => {
    writeFileSync(path, ROLES);
    registry = await startRegistryOn(url(), { GLIMPSE_IMAGES_PROPERTY_PROTECTION_FILE: path });
  });
  afterAll(async () => {
    await registry.close();
    rmSync(folder, { recursive: true });
  });
  const property = (op: ImageChange['op'], name: string, value?: string): ImageChange => ({
    target: 'property',
    op,
    name,
    ...(value === undefined ? {} : { value }),
  });
  /** An image of p1 with a property that its members may not read, and one that they may. */
  const create = async () => {
    const properties = { secret_a: 's', once_b: 'o', open: 'x' };
    return (await registry.images.create(admin, aNewImage({ owner: 'p1', properties }))).id;
  };
  const propertiesFor = async (ctx: typeof owner, id: string) => ({
    ...(await registry.images.get(ctx, id)).properties,
  });

  it('keeps from webhooks what not everybody of the project may read', async () => {
    await registry.webhooks.create(owner, {
      url: 'https://hooks.example.org/',
      eventTypes: ['image.created'],
      description: null,
      isEnabled: true,
    });
    const properties = { secret_a: 'untold', color: 'red' };
    await registry.images.create(admin, aNewImage({ owner: 'p1', properties }));
    await tellWebhooks(registry);

    const bodies = (await registry.rows('webhook_deliveries')).map(({ payload }) => payload);
    expect(bodies.join()).toContain('"color":"red"');
    expect(bodies.join()).not.toMatch(/secret_a|untold/);
  });

  it('hides what a caller may not read', async () => {
    const id = await create();
    const listed = await registry.lists.list(owner, aQuery({ anyOf: [{ column: 'id', values: [id] }] }));

    expect(await propertiesFor(owner, id)).toEqual({ once_b: 'o', open: 'x' });
    expect(listed.images.map(({ properties }) => ({ ...properties }))).toEqual([{ once_b: 'o', open: 'x' }]);
    expect(await propertiesFor(auditor, id)).toHaveProperty('secret_a', 's');
    expect(await propertiesFor({ ...owner, serviceRoles: ['AUDITOR'] }, id)).toHaveProperty('secret_a', 's');
  });

  it("lets a publisher that is trusted set what Nova sets of a snapshot, and nobody else's properties", async () => {
    const request = (more: Parameters<typeof anOrder>[0], isTrusted: boolean) =>
      registry.snapshots.request({ ctx: owner, request: anOrder(more), isTrusted, replyTo: null });

    const { imageId } = await request({}, true);

    expect(await propertiesFor(owner, imageId ?? '')).toMatchObject({ image_state: 'available' });
    const refused = { code: 'PROPERTY_FORBIDDEN' };
    await expect(request({}, false)).rejects.toMatchObject(refused);
    await expect(request({ properties: { inherited: 'x' } }, true)).rejects.toMatchObject(refused);
  });

  it('finds nothing by what a caller may not read', async () => {
    const id = await create();
    const find = async (ctx: typeof owner) => {
      const { images } = await registry.lists.list(ctx, aQuery({ properties: { secret_a: 's' } }));
      return images.some((image) => image.id === id);
    };

    expect(await find(owner)).toBe(false);
    expect(await find(auditor)).toBe(true);
  });

  it.each(['SECRET_A', 'Secret_a', 'sécret_a'])(
    'finds nothing by %s, which may be read, in place of what may not',
    async (name) => {
      await create();

      const { images } = await registry.lists.list(owner, aQuery({ properties: { [name]: 's' } }));

      expect(images).toEqual([]);
    },
  );

  it.each<[string, ImageChange, string]>([
    ['replaces one that they may not read', property('replace', 'secret_a', 'new'), 'PROPERTY_NOT_FOUND'],
    ['removes one that they may not read', property('remove', 'secret_a'), 'PROPERTY_NOT_FOUND'],
    ['adds over one that they may not read', property('set', 'secret_a', 'new'), 'PROPERTY_FORBIDDEN'],
    ['adds over one by the old dialect', property('add', 'secret_a', 'new'), 'PROPERTY_FORBIDDEN'],
    ['adds one that they may not create', property('set', 'secret_c', 'new'), 'PROPERTY_FORBIDDEN'],
    ['changes one that they may not', property('set', 'once_b', 'new'), 'PROPERTY_FORBIDDEN'],
    ['replaces one that they may not', property('replace', 'once_b', 'new'), 'PROPERTY_FORBIDDEN'],
    ['removes one that they may not', property('remove', 'once_b'), 'PROPERTY_FORBIDDEN'],
    ['removes one that is absent', property('remove', 'secret_c'), 'PROPERTY_NOT_FOUND'],
  ])('refuses a caller who %s', async (_, change, code) => {
    const id = await create();

    await expect(registry.images.update(owner, id, [change])).rejects.toMatchObject({ code });

    expect(await propertiesFor(admin, id)).toEqual({ secret_a: 's', once_b: 'o', open: 'x' });
  });

  it('refuses to create an image with one that the caller may not create', async () => {
    const request = aNewImage({ properties: { secret_a: 's' } });

    await expect(registry.images.create(owner, request)).rejects.toMatchObject({
      code: 'PROPERTY_FORBIDDEN',
    });
  });

  it('keeps what a caller may not read whatever they do', async () => {
    const id = await create();

    const changed = await registry.images.update(owner, id, [property('set', 'open', 'y')]);
    await registry.tags.add(owner, id, 't');
    const upload = {
      ctx: owner,
      id,
      uploadId: `u-${id}`,
      storeId: 'file',
      instanceId: 'gateway-1',
      size: null,
    };
    await registry.data.beginUpload(upload);
    await registry.data.commitUpload({ ...upload, stored: storedAt(`file:///${id}`) });
    await registry.actions.deactivate(owner, id);

    expect({ ...changed.properties }).toEqual({ once_b: 'o', open: 'y' });
    expect(await propertiesFor(admin, id)).toEqual({ secret_a: 's', once_b: 'o', open: 'y' });
  });

  it('gives callers who see different documents different revisions', async () => {
    const id = await create();
    const revisionFor = async (ctx: typeof owner) => (await registry.images.get(ctx, id)).revision ?? '';

    expect(await revisionFor(owner)).not.toBe(await revisionFor(auditor));
    expect(await revisionFor(admin)).toBe(await revisionFor(auditor));
    const ifMatch = [await revisionFor(owner)];
    await expect(
      registry.images.update(owner, id, [property('set', 'open', 'z')], { ifMatch }),
    ).resolves.toBeDefined();
  });

  describe('by policies', () => {
    it('asks the rule that the file names, and lets nobody do what a rule that is not there guards', async () => {
      const rules = join(folder, 'policies.conf');
      const all = (rule: string) => `create = ${rule}\nread = ${rule}\nupdate = ${rule}\ndelete = ${rule}\n`;
      writeFileSync(
        rules,
        `[^secret_]\n${all('context_is_admin')}[^odd_]\n${all('no_such_rule')}[.*]\n${all('@')}`,
      );
      const byPolicies = await startRegistryOn(url(), {
        GLIMPSE_IMAGES_PROPERTY_PROTECTION_FILE: rules,
        GLIMPSE_IMAGES_PROPERTY_PROTECTION_RULE_FORMAT: 'policies',
      });
      const id = await create();
      const set = (ctx: typeof owner, name: string) =>
        byPolicies.images.update(ctx, id, [property('set', name, 'v')]);

      await expect(set(owner, 'secret_b')).rejects.toMatchObject({ code: 'PROPERTY_FORBIDDEN' });
      await expect(set(admin, 'odd_b')).rejects.toMatchObject({ code: 'PROPERTY_FORBIDDEN' });
      expect({ ...(await set(admin, 'secret_b')).properties }).toHaveProperty('secret_b');
      expect({ ...(await set(owner, 'other')).properties }).not.toHaveProperty('secret_b');
      await byPolicies.close();
    });
  });
}

import { randomUUID } from 'node:crypto';
import * as files from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { SetAsideEntry, StoredEntry } from '../../store-inventory.js';

const { link, mkdir, mkdtemp, readFile, readdir, rename, rm, symlink, writeFile } = files;

/** What others do right before a file is moved. */
let meanwhile: () => Promise<void>;
jest.unstable_mockModule('node:fs/promises', () => ({
  ...files,
  rename: async (from: string, to: string) => {
    await meanwhile();
    await rename(from, to);
  },
}));
const { FileInventory } = await import('./file-inventory.js');

describe('FileInventory', () => {
  let folder: string;
  let inventory: InstanceType<typeof FileInventory>;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glimpse-file-inventory-'));
    await mkdir(join(folder, 'a'));
    await mkdir(join(folder, 'b'));
    meanwhile = async () => {};
    inventory = new FileInventory(['a', 'b'].map((name) => ({ path: join(folder, name), priority: 0 })));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const list = async () => {
    const entries: StoredEntry[] = [];
    for await (const entry of inventory.list({})) entries.push(entry);
    return entries.toSorted((one, other) => one.name.localeCompare(other.name));
  };
  const listSetAside = async () => {
    const entries: SetAsideEntry[] = [];
    for await (const entry of inventory.listSetAside({})) entries.push(entry);
    return entries;
  };

  it('lists the files of every directory, and nothing that is no file of it', async () => {
    const image = randomUUID();
    const upload = randomUUID();
    await writeFile(join(folder, 'a', image), 'whole');
    await writeFile(join(folder, 'b', `.${image}.${upload}.part`), 'half');
    await writeFile(join(folder, 'b', `.${image}.${upload}.${upload}.part`), 'staged half');
    await writeFile(join(folder, 'b', '.nfs0001'), 'of the system');
    await mkdir(join(folder, 'a', 'lost+found'));
    await writeFile(join(folder, 'a', 'lost+found', 'x'), '');
    await symlink('/etc/passwd', join(folder, 'a', 'link'));

    expect((await list()).map(({ name, key, partialOf }) => [name, key, partialOf])).toEqual(
      [
        [image, image, null],
        [`.${image}.${upload}.part`, image, upload],
        [`.${image}.${upload}.${upload}.part`, `${image}.${upload}`, upload],
        ['.nfs0001', null, null],
      ].toSorted(([one], [other]) => String(one).localeCompare(String(other))),
    );
  });

  it('lists more files than it looks at at once', async () => {
    for (let n = 0; n < 300; n++) await writeFile(join(folder, 'a', `file-${n}`), '');

    expect(new Set((await list()).map(({ name }) => name)).size).toBe(300);
  });

  it('does not take a directory whose disk is away for an empty one', async () => {
    await rm(join(folder, 'b'), { recursive: true });
    await symlink(join(folder, 'mount'), join(folder, 'b'));

    await expect(list()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await listSetAside()).toEqual([]);
  });

  it('puts back at once what took the place of the file that was to be set aside', async () => {
    const path = join(folder, 'a', 'an-id');
    await writeFile(path, 'orphan');
    const [entry] = await list();
    meanwhile = async () => {
      await rm(path);
      await writeFile(path, 'the data of another upload');
    };

    const outcome = await inventory.setAside(entry!, randomUUID(), {});

    expect(outcome).toEqual({ outcome: 'changed' });
    expect(await readFile(path, 'utf8')).toBe('the data of another upload');
    expect(await listSetAside()).toEqual([]);
  });

  it('says that it is gone where somebody else was faster', async () => {
    await writeFile(join(folder, 'a', 'an-id'), 'orphan');
    const [entry] = await list();
    meanwhile = () => rm(join(folder, 'a', 'an-id'));

    expect(await inventory.setAside(entry!, randomUUID(), {})).toEqual({ outcome: 'gone' });
  });

  it('goes on putting back where another process died over it', async () => {
    const path = join(folder, 'b', 'an-id');
    await writeFile(path, 'data');
    const [entry] = await list();
    const outcome = await inventory.setAside(entry!, randomUUID(), {});
    if (outcome.outcome !== 'set-aside') throw new Error(outcome.outcome);
    await link(outcome.entry.location.uri.slice('file://'.length), path);

    await inventory.putBack(outcome.entry, {});

    expect(await readFile(path, 'utf8')).toBe('data');
    expect(await readdir(join(folder, 'b', '.quarantine'))).toEqual([]);
  });

  it('leaves what is no name of its own among what is set aside', async () => {
    await mkdir(join(folder, 'a', '.quarantine'));
    await writeFile(join(folder, 'a', '.quarantine', 'notes.txt'), '');

    expect(await listSetAside()).toEqual([]);
  });

  it.each(['file:///etc/passwd', 'file:///x/../etc/passwd'])('touches nothing at %s', async (uri) => {
    const named = { name: 'passwd', key: 'passwd', partialOf: null, size: 1 };
    const entry = { ...named, location: { uri }, modifiedAt: 0, version: '' };
    const aside = { ...named, id: randomUUID(), location: { uri }, origin: { uri } };

    await expect(inventory.setAside(entry, randomUUID(), {})).rejects.toMatchObject({
      code: 'STORE_LOCATION_INVALID',
    });
    await expect(inventory.putBack(aside, {})).rejects.toMatchObject({ code: 'STORE_LOCATION_INVALID' });
    await expect(inventory.discard(aside, {})).rejects.toMatchObject({ code: 'STORE_LOCATION_INVALID' });
  });
});

import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { expect, it } from '@jest/globals';
import type { DriverFixture } from './driver-fixture.conformance.js';
import type { StoreInventory, StoredEntry } from './store-inventory.js';

async function collect<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

async function contentOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** An inventory with the steps that its tests are made of. */
function withSteps({ driver, place }: DriverFixture, inventory: StoreInventory) {
  const find = async (key: string): Promise<StoredEntry | undefined> =>
    (await collect(inventory.list({}))).find((entry) => entry.key === key);
  const get = async (key: string): Promise<StoredEntry> => {
    const entry = await find(key);
    if (entry === undefined) throw new Error(`${key} is not listed`);
    return entry;
  };
  return {
    find,
    get,
    add: async (text: string) => {
      const key = randomUUID();
      const location = await place(key, Buffer.from(text));
      return { key, location, entry: await get(key) };
    },
    setAside: async (entry: StoredEntry) => {
      const id = randomUUID();
      const outcome = await inventory.setAside(entry, id, {});
      if (outcome.outcome !== 'set-aside') throw new Error(`it is ${outcome.outcome}`);
      return outcome.entry;
    },
    findSetAside: async (id: string) =>
      (await collect(inventory.listSetAside({}))).find((entry) => entry.id === id),
    read: async (location: { uri: string }) => contentOf(await driver.read(location, {})),
  };
}

/** Holds a driver to what `StoreInventory` promises. */
export function describeInventory(get: () => DriverFixture): void {
  /** The steps, unless the driver only reads what others keep. */
  const open = () => {
    const fixture = get();
    const { inventory, capabilities } = fixture.driver;
    expect(inventory !== undefined).toBe(capabilities.write);
    if (inventory === undefined) return undefined;
    return { ...fixture, inventory, ...withSteps(fixture, inventory) };
  };

  it('lists each object with what is known of it', async () => {
    const store = open();
    if (store === undefined) return;
    const before = Date.now();

    const added = await Promise.all(['', 'a', 'bc'].map((text) => store.add(text)));

    for (const [size, { key, location, entry }] of added.entries()) {
      expect(entry).toMatchObject({ key, partialOf: null, size, location });
      expect(store.driver.parseLocation(entry.location.uri)).toEqual(location);
      // By the store's clock, in whole seconds for some.
      expect(Math.abs(entry.modifiedAt - before)).toBeLessThan(120_000);
    }
    expect(new Set(added.map(({ entry }) => entry.version)).size).toBe(added.length);
    expect(await store.get(added[1]!.key)).toEqual(added[1]!.entry);
  });

  it('lists what a process left that died while it wrote', async () => {
    const store = open();
    if (store === undefined) return;
    if (store.strand === undefined) throw new Error('the fixture does not say how to strand an upload');
    const key = randomUUID();

    await store.strand(key, randomUUID(), Buffer.from('half'));

    const entry = await store.get(key);
    expect(entry.partialOf).toEqual(expect.any(String));
    const outcome = await store.inventory.setAside(entry, randomUUID(), {});
    expect(['set-aside', 'removed']).toContain(outcome.outcome);
    expect(await store.find(key)).toBeUndefined();
  });

  it('sets an object aside, where nobody reads it, and puts it back', async () => {
    const store = open();
    if (store === undefined) return;
    const { key, location, entry } = await store.add('an orphan');

    const aside = await store.setAside(entry);

    expect(aside).toMatchObject({ key, name: entry.name, origin: location, size: 9, partialOf: null });
    expect(await store.find(key)).toBeUndefined();
    await expect(store.driver.size(location, {})).rejects.toMatchObject({ code: 'STORE_OBJECT_NOT_FOUND' });
    expect(await store.findSetAside(aside.id)).toEqual(aside);
    expect(await store.read(aside.location)).toBe('an orphan');

    await store.inventory.putBack(aside, {});

    expect(await store.read(location)).toBe('an orphan');
    expect(await store.findSetAside(aside.id)).toBeUndefined();
    await expect(store.inventory.putBack(aside, {})).rejects.toMatchObject({
      code: 'STORE_OBJECT_NOT_FOUND',
    });
  });

  it('sets nothing aside that is gone, or that is not what was listed', async () => {
    const store = open();
    if (store === undefined) return;
    const { key, location, entry } = await store.add('first');
    await store.driver.delete(location, {});

    expect(await store.inventory.setAside(entry, randomUUID(), {})).toEqual({ outcome: 'gone' });
    await store.place(key, Buffer.from('later'));

    expect(await store.inventory.setAside(entry, randomUUID(), {})).toEqual({ outcome: 'changed' });
    expect(await store.read(location)).toBe('later');
  });

  it('lets the same key be set aside again and again', async () => {
    const store = open();
    if (store === undefined) return;
    const { key, entry } = await store.add('one');
    const first = await store.setAside(entry);
    await store.place(key, Buffer.from('two'));
    const second = await store.setAside(await store.get(key));

    await store.inventory.discard(first, {});
    await store.inventory.discard(first, {});

    expect(await store.findSetAside(first.id)).toBeUndefined();
    expect(await store.read((await store.findSetAside(second.id))!.location)).toBe('two');
  });

  it('never puts anything back over something else', async () => {
    const store = open();
    if (store === undefined) return;
    const { key, location, entry } = await store.add('old');
    const aside = await store.setAside(entry);
    await store.place(key, Buffer.from('new'));

    await expect(store.inventory.putBack(aside, {})).rejects.toMatchObject({
      code: 'STORE_OBJECT_DUPLICATE',
    });

    expect(await store.read(location)).toBe('new');
    expect(await store.read(aside.location)).toBe('old');
  });

  it('lists nothing more once it is aborted', async () => {
    const store = open();
    if (store === undefined) return;
    await store.add('x');
    const signal = AbortSignal.abort();

    await expect(collect(store.inventory.list({ signal }))).rejects.toMatchObject({ name: 'AbortError' });
    await expect(collect(store.inventory.listSetAside({ signal }))).rejects.toMatchObject({
      name: 'AbortError',
    });
  });

  it('does not take a store that is away for one that is empty', async () => {
    const store = open();
    const mend = await store?.breakDown?.();
    if (store === undefined || mend === undefined) return;

    await expect(collect(store.inventory.list({}))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    await mend();
  });
}

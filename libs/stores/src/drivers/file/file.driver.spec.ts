import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@glimpse/observability';
import type { StoreDriver } from '../../store-driver.js';
import { type DriverFixture, describeStoreDriver, pattern } from '../../store-driver.conformance.js';
import { FileOptions } from './file.options.js';
import { fileType } from './file.type.js';

const MIB = 1_048_576;
const logger = createLogger('test', { level: 'silent' });
const makeFolder = () => mkdtemp(join(tmpdir(), 'glimpse-file-driver-'));
const open = (options: object): StoreDriver => fileType.open(FileOptions.parse(options), logger);
const write = (driver: StoreDriver, key: string, data: Buffer, uploadId = 'u1', expectedSize?: number) =>
  driver.write(key, Readable.from([data]), {
    uploadId,
    ...(expectedSize === undefined ? {} : { expectedSize }),
  });

async function makeFixture(options: (folder: string) => object): Promise<DriverFixture> {
  const folder = await makeFolder();
  const driver = open(options(folder));
  return {
    driver,
    place: async (key, data) => (await write(driver, key, data)).location,
    list: async () => (await readdir(folder, { recursive: true })).toSorted(),
    strand: (key, uploadId, data) => writeFile(`${folder}/a/.${key}.${uploadId}.part`, data),
    missing: { uri: `file://${folder}/a/nothing` },
    foreignUris: [
      `http://localhost${folder}/x`,
      'file:///etc/passwd',
      `file://${folder}`,
      `file://${folder}/../x`,
      `file://${folder}/a/../../x`,
      `file://${folder}x/y`,
      'file://relative/x',
    ],
    breakDown: async () => {
      await rename(folder, `${folder}-away`);
      return () => rename(`${folder}-away`, folder);
    },
    close: () => rm(folder, { recursive: true }),
  };
}

describeStoreDriver('FileDriver with one directory', () =>
  makeFixture((folder) => ({ datadir: `${folder}/a` })),
);
// Of different priorities: which of two equals has more room changes with whatever else writes to the disk.
describeStoreDriver('FileDriver with several directories', () =>
  makeFixture((folder) => ({ datadirs: [`${folder}/a:10`, `${folder}/b:20`, `${folder}/c:30`] })),
);
describeStoreDriver('FileDriver with thin provisioning', () =>
  makeFixture((folder) => ({ datadir: `${folder}/a`, thin_provisioning: true })),
);

describe('FileDriver', () => {
  let folder: string;
  let undo: (() => void)[];
  beforeEach(async () => {
    folder = await makeFolder();
    undo = [];
  });
  afterEach(async () => {
    for (const step of undo) step();
    await rm(folder, { recursive: true });
  });

  it('names the file after the key, byte for byte what was sent', async () => {
    const { location } = await write(open({ datadir: folder }), 'an-id', pattern(100));

    expect(location.uri).toBe(`file://${folder}/an-id`);
    expect((await readFile(join(folder, 'an-id'))).equals(pattern(100))).toBe(true);
  });

  it('reads the locations that begin with filesystem:// too', async () => {
    const driver = open({ datadir: folder });
    await write(driver, 'an-id', pattern(100));

    expect(await driver.size(driver.parseLocation(`filesystem://${folder}/an-id`), {})).toBe(100);
  });

  it.each(['', '.', '..', '../x', '/etc/x', 'a/b', '.hidden', 'x\0y', 'x'.repeat(300)])(
    'refuses the key %j',
    async (key) => {
      const driver = open({ datadir: folder });

      await expect(write(driver, key, pattern(1))).rejects.toMatchObject({ code: 'STORE_LOCATION_INVALID' });
      await expect(write(driver, 'key', pattern(1), key)).rejects.toMatchObject({
        code: 'STORE_LOCATION_INVALID',
      });
      await expect(driver.removeLeftovers(key, 'u1', {})).rejects.toMatchObject({
        code: 'STORE_LOCATION_INVALID',
      });
      expect(await readdir(folder)).toEqual([]);
    },
  );

  it('hides what is not complete, and removes it for an attempt whose process died', async () => {
    const driver = open({ datadirs: [`${folder}/a`, `${folder}/b:5`] });
    const stalled = new Readable({ read() {} });
    stalled.push(pattern(2 * MIB));
    const writing = write(driver, 'other', pattern(10));
    const dying = driver.write('key', stalled, { uploadId: 'dead' });
    await writing;
    const names = async () => (await readdir(`${folder}/b`)).toSorted();
    while (!(await names()).includes('.key.dead.part')) await new Promise(setImmediate);

    await driver.removeLeftovers('key', 'dead', {});

    expect(await names()).toEqual(['other']);
    // The process was only asleep: what it goes on to write can't be published any more.
    stalled.push(null);
    await expect(dying).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await names()).toEqual(['other']);
  });

  it('removes nothing more for an attempt once it lost the right to', async () => {
    const driver = open({ datadir: folder });
    await writeFile(join(folder, '.an-id.u1.part'), 'half');
    await write(driver, 'an-id', pattern(100), 'u2');
    const right = new AbortController();

    const removal = driver.removeLeftovers('an-id', 'u1', { signal: right.signal });
    right.abort(new Error('lost'));

    await expect(removal).rejects.toThrow('lost');
    expect(await readdir(folder)).toEqual(['an-id']);
  });

  it('prefers directories of a higher priority and finds its objects in all', async () => {
    const driver = open({ datadirs: [`${folder}/a:1`, `${folder}/b:7`, `${folder}/c`] });
    const { location } = await write(driver, 'key', pattern(10));

    expect(location.uri).toBe(`file://${folder}/b/key`);
    expect(await driver.size(driver.parseLocation(`file://${folder}/b/key`), {})).toBe(10);
  });

  it('does not write a key that another directory holds', async () => {
    const driver = open({ datadirs: [`${folder}/a`, `${folder}/b:7`] });
    await writeFile(`${folder}/a/key`, 'old');

    await expect(write(driver, 'key', pattern(10))).rejects.toMatchObject({ code: 'STORE_OBJECT_DUPLICATE' });
  });

  it('refuses data for which no directory has room', async () => {
    const driver = open({ datadirs: [`${folder}/a`, `${folder}/b`] });

    await expect(write(driver, 'key', pattern(10), 'u1', Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({
      code: 'STORE_FULL',
    });
  });

  it.each([
    ['leaves', 'a thin file', { thin_provisioning: true }, false],
    ['leaves', 'a file of which it is said that it has them', {}, true],
    ['does not leave', 'any other file', {}, false],
    ['does not leave', 'a file where it may not', { thin_provisioning: false }, true],
  ])('%s blocks of zeros out of %s, also at its end', async (does, _what, options, isSparse) => {
    const driver = open({ datadir: folder, ...options });
    const data = Buffer.concat([Buffer.alloc(3 * MIB), pattern(100), Buffer.alloc(5 * MIB)]);

    await driver.write('key', Readable.from([data.subarray(0, 70_000), data.subarray(70_000)]), {
      uploadId: 'u1',
      isSparse,
    });

    const { size, blocks } = await stat(join(folder, 'key'));
    expect((await readFile(join(folder, 'key'))).equals(data)).toBe(true);
    expect(size).toBe(data.length);
    expect(blocks * 512 < 200_000).toBe(does === 'leaves');
  });

  it('sets the mode of files and lets their readers into the directory', async () => {
    await mkdir(`${folder}/a`, { mode: 0o700 });
    const driver = open({ datadir: `${folder}/a`, file_perm: 644 });
    await write(driver, 'key', pattern(1));

    expect((await stat(`${folder}/a/key`)).mode & 0o777).toBe(0o644);
    expect((await stat(`${folder}/a`)).mode & 0o777).toBe(0o711);
  });

  it('describes the file system that the data lies on', async () => {
    const file = join(folder, 'metadata.json');
    await writeFile(
      file,
      JSON.stringify([
        { id: 'nfs', mountpoint: '/nfs' },
        { id: 'here', mountpoint: folder },
      ]),
    );
    const driver = open({ datadir: `${folder}/a`, metadata_file: file });

    expect((await write(driver, 'key', pattern(1))).metadata).toEqual({ id: 'here', mountpoint: folder });
  });

  it('leaves nothing behind on a disk that is full', async () => {
    await mkdir(`${folder}/small`);

    const isMounted = mount(
      undo,
      `${folder}/small`,
      '-t',
      'tmpfs',
      '-o',
      'size=4m',
      'tmpfs',
      `${folder}/small`,
    );

    const outcome = isMounted ? await fillSmallDisk(`${folder}/small`) : fillToLimit(`${folder}/small`);

    expect(outcome).toEqual({ code: 'STORE_FULL', left: [] });
  });

  it('takes a limit on the size of files for a full disk', () => {
    expect(fillToLimit(folder)).toEqual({ code: 'STORE_FULL', left: [] });
  });

  it('says that it may not write', async () => {
    await chmod(folder, 0o755);
    await mkdir(`${folder}/locked`);
    const driver = open({ datadir: `${folder}/locked` });
    await write(driver, 'old', pattern(1));
    const isKnown = await makeReadOnly(`${folder}/locked`, undo);

    await expect(write(driver, 'key', pattern(10))).rejects.toMatchObject({ code: 'STORE_WRITE_DENIED' });
    await expect(driver.delete({ uri: `file://${folder}/locked/old` }, {})).rejects.toMatchObject({
      code: 'STORE_FORBIDDEN',
    });
    const health = await driver.checkHealth({}).then(
      () => 'well',
      (error: { code: unknown }) => error.code,
    );
    expect(health).toBe(isKnown ? 'STORE_UNAVAILABLE' : 'well');
  });

  it('ends the stream with an error where a file is shorter than it was', async () => {
    const driver = open({ datadir: folder });
    const { location } = await write(driver, 'key', pattern(10));
    const stream = await driver.read(location, { range: { start: 5, end: 20 } });

    await expect(stream.toArray()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const run = (command: string, ...args: string[]) => void execFileSync(command, args, { stdio: 'pipe' });

interface Outcome {
  readonly code: unknown;
  readonly left: readonly string[];
}

/** Mounts something at `path`; false where this process may not mount, be it root in a container. */
function mount(undo: (() => void)[], path: string, ...args: string[]): boolean {
  try {
    run('mount', ...args);
  } catch {
    return false;
  }
  undo.push(() => run('umount', path));
  return true;
}

/** Writes more than fits to the disk of 4 MiB at `path`. */
async function fillSmallDisk(path: string): Promise<Outcome> {
  const driver = open({ datadir: path });
  const code: unknown = await write(driver, 'key', pattern(8 * MIB)).then(
    () => 'no error',
    (error: { code: unknown }) => error.code,
  );
  const left = await readdir(path);
  await write(driver, 'smaller', pattern(3 * MIB));
  return { code, left };
}

/** The same in a process that may not make files larger than 4 MiB: anybody can have that. */
function fillToLimit(path: string): Outcome {
  const library = (name: string) =>
    JSON.stringify(new URL(`../../../../${name}/src/index.ts`, import.meta.url));
  const program = `
    import { readdirSync } from 'node:fs';
    import { Readable } from 'node:stream';
    import { createLogger } from ${library('observability')};
    import { createStores } from ${library('stores')};
    const [datadir, staging] = ['data', 'staging'].map((name) => process.env.DATADIR + '/' + name);
    const stores = { file: { type: 'file', datadir } };
    const driver = createStores({ stores, staging: { type: 'file', datadir: staging }, defaultStore: 'file' }, createLogger('test', { level: 'silent' })).get('file');
    const code = await driver.write('key', Readable.from([Buffer.alloc(8 << 20)]), { uploadId: 'u1' })
      .then(() => 'no error', (error) => error.code);
    process.stdout.write(JSON.stringify({ code, left: readdirSync(datadir) }));
  `;
  const hooks = new URL('../../../../../scripts/typescript.mjs', import.meta.url).href;
  const command = 'ulimit -f 8192 && exec "$0" "$@"';
  const flags = ['--experimental-transform-types', '--no-warnings', '--import', hooks, '--input-type=module'];
  const output = execFileSync('sh', ['-c', command, process.execPath, ...flags, '--eval', program], {
    env: { PATH: process.env['PATH'], DATADIR: path },
  });
  return JSON.parse(output.toString()) as Outcome;
}

/**
 * This process may not write to `path` any more. Root is not stopped by a mode but by a mount, or is another user
 * meanwhile where it may not mount. False where the system, asked beforehand, says that writing is allowed: it answers
 * for the real user.
 */
async function makeReadOnly(path: string, undo: (() => void)[]): Promise<boolean> {
  if (isRoot && bindReadOnly(path, undo)) return true;
  await chmod(path, 0o555);
  if (isRoot) {
    process.seteuid?.(NOBODY);
    undo.push(() => process.seteuid?.(0));
  }
  undo.push(() => run('chmod', '755', path));
  return !isRoot;
}

function bindReadOnly(path: string, undo: (() => void)[]): boolean {
  if (!mount(undo, path, '--bind', path, path)) return false;
  run('mount', '-o', 'remount,ro,bind', path);
  return true;
}

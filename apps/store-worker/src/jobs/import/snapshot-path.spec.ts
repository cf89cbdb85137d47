import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isServiceError } from '@glimpse/contracts';
import { SnapshotFiles, deviceNumbers } from './snapshot-file.js';
import { holdPlace } from './snapshot-path.js';

describe('holdPlace', () => {
  let folder: string;
  let root: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'glimpse-path-'));
    root = join(folder, 'root');
    mkdirSync(join(root, 'a'), { recursive: true });
    writeFileSync(join(root, 'a', 'disk'), 'disk');
    mkdirSync(join(folder, 'b'));
    writeFileSync(join(folder, 'b', 'disk'), 'secret');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const codeOf = (path: string, roots = [root]) =>
    holdPlace(roots, path).then(
      () => 'held',
      (error: unknown) => (isServiceError(error) ? error.code : String(error)),
    );

  it('leads to what was there, whatever takes its name later', async () => {
    const place = await holdPlace([root], join(root, 'a', 'disk'));
    renameSync(join(root, 'a'), join(root, 'old'));
    symlinkSync(join(folder, 'b'), join(root, 'a'));

    const content = readFileSync(place.path, 'utf8');
    await place.close();

    expect(content).toBe('disk');
    expect(await codeOf(join(root, 'a', 'disk'))).toBe('TRANSFER_ABORTED');
  });

  it('takes a root that is a link, for that is its owner’s choice', async () => {
    symlinkSync(root, join(folder, 'linked'));

    expect(await codeOf(join(folder, 'linked', 'a', 'disk'), [join(folder, 'linked')])).toBe('held');
  });

  it('looks below each of the roots, and nowhere where there is none', async () => {
    expect(await codeOf(join(folder, 'b', 'disk'), [root, join(folder, 'b')])).toBe('held');
    expect(await codeOf(join(root, 'a', 'disk'), [])).toBe('REQUEST_INVALID');
    expect(await codeOf(join(folder, 'rootless'), [root])).toBe('REQUEST_INVALID');
    expect(await codeOf('\0abstract', [root])).toBe('REQUEST_INVALID');
  });
});

describe('SnapshotFiles', () => {
  it('reads no devices but disks', async () => {
    const files = new SnapshotFiles({ fileRoots: ['/dev'], blockDevices: true });

    await expect(files.open('file:///dev/zero')).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('knows devices by the numbers that the kernel gives them', () => {
    expect(deviceNumbers(0x0801n)).toBe('8:1');
    expect(deviceNumbers(0x0120_0345n)).toBe('3:4677');
    expect(deviceNumbers(0x1000_0010_fe07n)).toBe('4350:263');
  });
});

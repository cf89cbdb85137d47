import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The programs that make images, and the packages of Debian that have them. */
const PACKAGES: Readonly<Record<string, string>> = {
  'qemu-img': 'qemu-utils',
  genisoimage: 'genisoimage',
  xorriso: 'xorriso',
  cryptsetup: 'cryptsetup-bin',
  sgdisk: 'gdisk',
  sfdisk: 'fdisk',
};

/** What a shell says of a program that is not there. */
const NOT_FOUND = 127;

/** QEMU measures the machine for a key, and gives up where its first try did not take any time that the kernel saw. */
const NOT_MEASURED = 'Unable to get accurate CPU usage';
const MEASUREMENTS = 20;

/** A folder in which programs of others make images. */
export class ImageWorkshop {
  private readonly folder = mkdtempSync(join(tmpdir(), 'glimpse-inspector-'));
  private made = 0;

  path(name: string): string {
    return join(this.folder, name);
  }

  newPath(): string {
    return this.path(`image-${++this.made}`);
  }

  /** Runs a program in the folder, `input` on its standard input. Users' PATH may lack what only root needs elsewhere. */
  run(program: string, args: readonly string[], input = ''): string {
    const found = 'PATH="$PATH:/usr/sbin:/sbin"; exec "$0" "$@"';
    const options = { cwd: this.folder, input, encoding: 'utf8', stdio: 'pipe' } as const;
    const attempt = () => spawnSync('sh', ['-c', found, program, ...args], options);
    let { status, stdout, stderr } = attempt();
    for (let more = 1; more < MEASUREMENTS && stderr.includes(NOT_MEASURED); more += 1)
      ({ status, stdout, stderr } = attempt());
    if (status === NOT_FOUND)
      throw new Error(`${program} is not there: install ${PACKAGES[program]} (Debian, Ubuntu)`);
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** A file of zero bytes. */
  blank(bytes: number): string {
    const path = this.newPath();
    writeFileSync(path, '');
    truncateSync(path, bytes);
    return path;
  }

  /** Makes a disk with `qemu-img create`. */
  create(format: string, options: string | undefined, size: string, ...more: string[]): string {
    const path = this.newPath();
    this.run('qemu-img', [
      'create',
      '-q',
      '-f',
      format,
      ...(options === undefined ? [] : ['-o', options]),
      ...more,
      path,
      size,
    ]);
    return path;
  }

  /** What QEMU takes for the size of the disk in it. */
  virtualSize(path: string, format: string): number {
    const info: unknown = JSON.parse(this.run('qemu-img', ['info', '--output=json', '-f', format, path]));
    return (info as { 'virtual-size': number })['virtual-size'];
  }

  read(path: string): Buffer {
    return readFileSync(path);
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }
}

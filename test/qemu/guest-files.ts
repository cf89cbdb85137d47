import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { findDependency, findProgram, unpackPackages } from '../../scripts/services/apt.js';
import { root } from '../../scripts/services/state.js';
import { aCpioArchive } from './cpio-archive.js';
import { modulesFor } from './kernel-modules.js';

/** What a small Linux starts from. The disk is its root file system, and is to be copied before it is written to. */
export interface GuestFiles {
  readonly kernel: string;
  readonly initramfs: string;
  /** Raw, ext4, mostly holes. */
  readonly disk: string;
}

const DISK_SIZE = '64M';
const MODULES = ['virtio_pci', 'virtio_blk', 'virtio_console', 'ext4'];
/** Small kernels for virtual machines: of Debian, of Ubuntu. */
const KERNELS = ['linux-image-cloud-amd64', 'linux-image-virtual'];

/** Starts the system that is on the disk. */
const firstInit = (modules: readonly string[]) => `#!/busybox sh
/busybox mount -t devtmpfs dev /dev
${modules.map((name) => `/busybox insmod /modules/${name}.ko`).join('\n')}
until [ -b /dev/vda ]; do /busybox sleep 0.1; done
/busybox mount -t ext4 /dev/vda /root
exec /busybox switch_root /root /sbin/init
`;

/** The system: an agent for the host, and on the serial console commands, a line each, each answered with its code. */
const init = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /run
for port in /dev/vport*; do
  [ -c "$port" ] && qemu-ga -d -m virtio-serial -p "$port" -t /run -f /run/agent.pid -l /run/agent.log
done
stty -echo -onlcr
echo '#ready'
while read -r line; do
  sh -c "$line" 2>&1
  echo "#done $?"
done
poweroff -f
`;

function unpackKernel(folder: string): { vmlinuz: string; modules: string } {
  const kernel = KERNELS.map((name) => findDependency(name, /^linux-image-\d/)).find(
    (name) => name !== undefined,
  );
  if (kernel === undefined)
    throw new Error(`No kernel for a guest is known here: none of ${KERNELS.join(', ')}`);
  unpackPackages([kernel, 'busybox-static', 'qemu-guest-agent'], folder);
  const boot = join(folder, 'boot');
  const vmlinuz = readdirSync(boot).find((name) => name.startsWith('vmlinuz-'));
  if (vmlinuz === undefined) throw new Error(`The package ${kernel} has no kernel in it`);
  const modules = join(folder, 'lib', 'modules');
  mkdirSync(modules, { recursive: true });
  return { vmlinuz: join(boot, vmlinuz), modules };
}

const busyboxIn = (unpacked: string) =>
  ['bin/busybox', 'usr/bin/busybox'].map((name) => join(unpacked, name)).find((file) => existsSync(file))!;

function writeInitramfs(file: string, unpacked: string, modules: string): void {
  const loaded = modulesFor(modules, MODULES);
  const script = firstInit(loaded.map(({ name }) => name));
  writeFileSync(
    file,
    aCpioArchive([
      ...['dev', 'root', 'modules'].map((name) => ({ name, mode: 0o755 })),
      { name: 'busybox', mode: 0o755, data: readFileSync(busyboxIn(unpacked)) },
      { name: 'init', mode: 0o755, data: Buffer.from(script) },
      ...loaded.map(({ name, data }) => ({ name: `modules/${name}.ko`, mode: 0o644, data })),
    ]),
  );
}

/** The libraries that a program needs, at the paths where it looks for them. */
const librariesOf = (program: string) =>
  [...execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(?:^|\s)(\/\S+)(?= \()/gm)].map(
    ([, path]) => path!,
  );

function writeDisk(file: string, unpacked: string): void {
  const tree = `${unpacked}-disk`;
  const put = (source: string, target: string) => {
    mkdirSync(dirname(join(tree, target)), { recursive: true });
    cpSync(realpathSync(source), join(tree, target), { mode: 0 });
  };
  for (const name of ['dev', 'proc', 'sys', 'run', 'root', 'sbin'])
    mkdirSync(join(tree, name), { recursive: true });
  put(busyboxIn(unpacked), 'bin/busybox');
  const agent = join(unpacked, 'usr', 'sbin', 'qemu-ga');
  put(agent, 'sbin/qemu-ga');
  for (const library of librariesOf(agent)) put(library, library);
  writeFileSync(join(tree, 'sbin', 'init'), init, { mode: 0o755 });
  execFileSync(findProgram('mke2fs')!, ['-q', '-t', 'ext4', '-d', tree, file, DISK_SIZE]);
  rmSync(tree, { recursive: true });
}

function build(folder: string): void {
  const unpacked = join(folder, 'packages');
  mkdirSync(unpacked, { recursive: true });
  const { vmlinuz, modules } = unpackKernel(unpacked);
  writeInitramfs(join(folder, 'initramfs'), unpacked, modules);
  writeDisk(join(folder, 'disk.raw'), unpacked);
  cpSync(vmlinuz, join(folder, 'kernel'));
  rmSync(unpacked, { recursive: true });
}

/** Makes the guest of the distribution's packages where it is not made yet, in some ten seconds. */
export function ensureGuestFiles(): GuestFiles {
  const recipe = JSON.stringify([init, firstInit(MODULES), KERNELS, DISK_SIZE]);
  const key = createHash('sha256').update(recipe).digest('hex').slice(0, 12);
  const folder = join(root, '.glimpse', `guest-${key}`);
  if (!existsSync(folder)) {
    const own = `${folder}.${randomUUID()}`;
    try {
      build(own);
      renameSync(own, folder);
    } catch (error) {
      // Whoever made it at the same time has made the same.
      if (!existsSync(folder)) throw error;
    } finally {
      rmSync(own, { recursive: true, force: true });
    }
  }
  return {
    kernel: join(folder, 'kernel'),
    initramfs: join(folder, 'initramfs'),
    disk: join(folder, 'disk.raw'),
  };
}

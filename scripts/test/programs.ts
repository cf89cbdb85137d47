import { canInstallPackages, findProgram, installPackages } from '../services/apt.js';

type Packages = Readonly<Record<string, string>>;

const disks: Packages = { 'qemu-img': 'qemu-utils' };
/** What store-workers expand imported data with. */
const decompressors: Packages = { xz: 'xz-utils', bzip2: 'bzip2' };

/** The client library of OpenStack's services, by a program that comes with it. */
const messaging: Packages = { 'oslo-messaging-send-notification': 'python3-oslo.messaging' };

/** A virtual machine, and what makes its disk and looks into it. */
const machines: Packages = {
  'qemu-system-x86_64': 'qemu-system-x86',
  mke2fs: 'e2fsprogs',
  debugfs: 'e2fsprogs',
};

/** The programs of others that the tests of a kind run, and the packages that bring them. */
const programsOf: Readonly<Record<string, Packages>> = {
  integration: {
    ...disks,
    genisoimage: 'genisoimage',
    xorriso: 'xorriso',
    cryptsetup: 'cryptsetup-bin',
    sgdisk: 'gdisk',
    sfdisk: 'fdisk',
    ...decompressors,
    'qemu-storage-daemon': 'qemu-system-common',
    nbdkit: 'nbdkit',
    openssl: 'openssl',
    ...messaging,
  },
  e2e: { ...disks, ...decompressors, ...machines },
  fault: disks,
  compat: {
    ...disks,
    openstack: 'python3-openstackclient',
    glance: 'python3-glanceclient',
    tempest: 'python3-tempest',
    ...messaging,
  },
};

/** Installs what tests of these kinds lack, where that is possible; else throws, saying what to install. */
export function ensurePrograms(kinds: readonly string[]): void {
  const wanted = Object.entries(Object.assign({}, ...kinds.map((kind) => programsOf[kind])) as Packages);
  const missing = wanted
    .filter(([program]) => findProgram(program) === undefined)
    .map(([, packageName]) => packageName);
  if (missing.length === 0) return;
  if (!canInstallPackages())
    throw new Error(`The tests need programs that are not installed: ${missing.join(', ')}`);
  installPackages(missing);
}

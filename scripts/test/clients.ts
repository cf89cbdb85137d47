import { canInstallPackages, findProgram, installPackages } from '../services/apt.js';

/** The programs of others that the compatibility tests run, and the packages that bring them. */
const programs = {
  openstack: 'python3-openstackclient',
  glance: 'python3-glanceclient',
  'qemu-img': 'qemu-utils',
  tempest: 'python3-tempest',
} as const;

/** Installs what is missing where that is possible; else throws, saying what to install. */
export function ensureClients(): void {
  const missing = Object.entries(programs)
    .filter(([program]) => findProgram(program) === undefined)
    .map(([, packageName]) => packageName);
  if (missing.length === 0) return;
  if (!canInstallPackages())
    throw new Error(`The compatibility tests need clients that are not installed: ${missing.join(', ')}`);
  installPackages(missing);
}

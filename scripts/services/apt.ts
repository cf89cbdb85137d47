import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';

const FOLDERS = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of the first of `names` that is installed; names may be paths. */
export function findProgram(...names: string[]): string | undefined {
  return names
    .flatMap((name) => (name.startsWith('/') ? [name] : FOLDERS.map((folder) => join(folder, name))))
    .find(isExecutable);
}

function rootPrefix(): string[] | undefined {
  if (process.getuid?.() === 0) return [];
  if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return ['sudo', '-n'];
  return undefined;
}

/** Whether packages can be installed here: a Debian or Ubuntu, and root or a sudo that asks for nothing. */
export function canInstallPackages(): boolean {
  return existsSync('/usr/bin/apt-get') && rootPrefix() !== undefined;
}

/** Installs distribution packages without starting their services; what apt says goes to standard error. */
export function installPackages(packages: readonly string[]): void {
  const prefix = rootPrefix();
  if (prefix === undefined) throw new Error(`root rights are needed to install ${packages.join(', ')}`);
  console.error(`Installing ${packages.join(', ')} …`);
  const [command, ...args] = [...prefix, 'bash', join(import.meta.dirname, 'apt-install.sh'), ...packages];
  const { status } = spawnSync(command!, args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`apt-get could not install ${packages.join(', ')} (see above)`);
}

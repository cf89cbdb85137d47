import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
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

/** The first package among those that `name` depends on whose name `matches`; undefined where there is none. */
export function findDependency(name: string, matches: RegExp): string | undefined {
  const { stdout } = spawnSync('apt-cache', ['depends', '--important', name], { encoding: 'utf8' });
  return [...(stdout ?? '').matchAll(/^\s*\|?Depends: (\S+)$/gm)]
    .map(([, found]) => found)
    .find((found) => found !== undefined && matches.test(found));
}

const download = (packages: readonly string[], folder: string): boolean =>
  spawnSync('apt-get', ['download', '-qq', ...packages], { cwd: folder, stdio: 'ignore' }).status === 0;

/** Unpacks distribution packages into `folder` without installing them, which needs no rights. */
export function unpackPackages(packages: readonly string[], folder: string): void {
  console.error(`Downloading ${packages.join(', ')} …`);
  const archives = join(folder, 'archives');
  mkdirSync(archives, { recursive: true });
  if (!download(packages, archives)) {
    // The lists may be old, and what they name gone.
    const update = [...(rootPrefix() ?? []), 'apt-get', 'update', '-qq'];
    spawnSync('env', update, { stdio: ['ignore', 2, 2] });
    if (!download(packages, archives)) throw new Error(`apt-get could not download ${packages.join(', ')}`);
  }
  for (const archive of readdirSync(archives))
    execFileSync('dpkg-deb', ['-x', join(archives, archive), folder]);
  rmSync(archives, { recursive: true });
}

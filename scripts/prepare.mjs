/**
 * Makes the working copy ready to run: installs the packages when they are not those of package-lock.json and, with
 * `--build`, compiles when a source is not the one that was compiled. Does nothing, in a tenth of a second, when all
 * is current. Runs on the machine's own Node (20 or newer) and needs no package, since there may be none yet.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'dist', '.sources');

/** Runs a program with its output on standard error: standard output belongs to the script that follows. */
function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error !== undefined) console.error(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function readPackages(lockFile) {
  try {
    return JSON.parse(readFileSync(join(root, lockFile), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** npm records what it installed in the same form as the lock file, without what this platform does not need. */
function isInstalled() {
  const wanted = readPackages('package-lock.json');
  const installed = readPackages('node_modules/.package-lock.json');
  if (wanted === undefined || installed === undefined) return false;
  const isCurrent = ([path, { version, optional, devOptional, link }]) =>
    path === '' ||
    link ||
    (installed[path] === undefined ? optional || devOptional : installed[path].version === version);
  return existsSync(join(root, 'node_modules/.bin/node')) && Object.entries(wanted).every(isCurrent);
}

function install() {
  console.error('Installing the packages of package-lock.json …');
  const npm = process.env.npm_execpath;
  // Not `npm ci`: that refuses a lock file without the binaries for other platforms, which a registry that serves
  // only some platforms leaves out of it. This takes the same versions and leaves the lock file alone.
  const args = ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  if (npm?.endsWith('.js')) run(process.execPath, [npm, ...args]);
  else run('npm', args);
}

function listSources(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return listSources(path);
    return /(?<!spec|\.conformance)\.ts$/.test(entry.name) ? [path] : [];
  });
}

function describeSources() {
  const files = [...listSources('apps'), ...listSources('libs')];
  files.push('package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json');
  const hash = createHash('sha256');
  for (const file of files.toSorted((a, b) => a.localeCompare(b, 'en'))) {
    const { size, mtimeMs } = statSync(join(root, file));
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function build() {
  const sources = describeSources();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === sources) return;
  console.error('Building …');
  rmSync(stampFile, { force: true });
  run(join(root, 'node_modules/.bin/node'), [join(root, 'node_modules/@nestjs/cli/bin/nest.js'), 'build']);
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, sources);
}

if (!isInstalled()) install();
if (process.argv.includes('--build')) build();

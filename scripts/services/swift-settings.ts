import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { account } from './account.js';
import { findProgram } from './apt.js';
import { S3_REGION } from './s3-check.js';

/** Where each server of Swift listens, and the cache that its proxy needs. */
export interface SwiftPorts {
  readonly proxy: number;
  readonly account: number;
  readonly container: number;
  readonly object: number;
  readonly cache: number;
}

export const backendServers = ['account', 'container', 'object'] as const;

/** S3 requests are signed with these; `<account>:<user>` is what Swift knows somebody by. */
export const s3Credentials = {
  accessKey: `${account.user}:${account.user}`,
  secretKey: account.password,
} as const;

/** Buckets are found as `<bucket>.localhost` as well. */
export const STORAGE_DOMAIN = 'localhost';

const DEVICE = 'd1';
/** 64 partitions: one device has little to spread. */
const PART_POWER = '6';

const settingsFile = (dir: string, server: string) => join(dir, `${server}-server.conf`);

/**
 * Runs a program of Swift with the `swift.conf` of a folder, in place of that of the system, which may be anything.
 * What Swift is made of speaks to syslog at `localhost` as soon as it is loaded, which not every machine can look up.
 */
const LAUNCHER = [
  'import logging.handlers, runpy, sys',
  'init = logging.handlers.SysLogHandler.__init__',
  'init.__defaults__ = (("127.0.0.1", 9), *init.__defaults__[1:])',
  'from swift.common.utils import set_swift_dir',
  'set_swift_dir(sys.argv[1])',
  'sys.argv = sys.argv[2:]',
  'runpy.run_path(sys.argv[0], run_name="__main__")',
].join('\n');

/** What Python is given to run a server. */
export const commandOf = (dir: string, server: string): string[] => [
  '-c',
  LAUNCHER,
  dir,
  findProgram(`swift-${server}-server`)!,
  settingsFile(dir, server),
  '--verbose',
];

function runRingBuilder(cwd: string, ...args: string[]): void {
  const { status, output } = spawnSync(findProgram('swift-ring-builder')!, args, { cwd, encoding: 'utf8' });
  // 1 is a warning, such as that of a ring with one device.
  if (status !== 0 && status !== 1) throw new Error(`swift-ring-builder failed:\n${output.join('')}`);
}

/** One copy of everything, on one device. */
function writeRing(dir: string, name: string, port: number): void {
  const builder = `${name}.builder`;
  rmSync(join(dir, builder), { force: true });
  runRingBuilder(dir, builder, 'create', PART_POWER, '1', '1');
  runRingBuilder(dir, builder, 'add', `r1z1-127.0.0.1:${port}/${DEVICE}`, '1');
  runRingBuilder(dir, builder, 'rebalance');
}

const common = (dir: string, port: number) => [
  '[DEFAULT]',
  'bind_ip = 127.0.0.1',
  `bind_port = ${port}`,
  // All in the one process that was started.
  'workers = 0',
  `user = ${userInfo().username}`,
  `swift_dir = ${dir}`,
  // They say what there is to say to standard error as well; to look up `localhost`, or to write into the system's log,
  // none of them is to try.
  'log_udp_host = 127.0.0.1',
  'log_udp_port = 9',
  'log_level = WARNING',
];

const backendSettings = (dir: string, name: string, port: number) => [
  ...common(dir, port),
  `devices = ${join(dir, 'devices')}`,
  'mount_check = false',
  'fallocate_reserve = 0',
  `recon_cache_path = ${join(dir, 'cache')}`,
  '[pipeline:main]',
  `pipeline = ${name}-server`,
  `[app:${name}-server]`,
  `use = egg:swift#${name}`,
];

const filter = (name: string, ...options: string[]) => [
  `[filter:${name}]`,
  `use = egg:swift#${name}`,
  ...options,
];

const proxySettings = (dir: string, ports: SwiftPorts) => [
  ...common(dir, ports.proxy),
  '[pipeline:main]',
  'pipeline = catch_errors gatekeeper memcache listing_formats s3api tempauth copy container_quotas slo dlo proxy-server',
  '[app:proxy-server]',
  'use = egg:swift#proxy',
  'account_autocreate = true',
  // Also on a machine that has much else to do.
  'conn_timeout = 10',
  'node_timeout = 60',
  ...filter('catch_errors'),
  ...filter('gatekeeper'),
  ...filter('memcache', `memcache_servers = 127.0.0.1:${ports.cache}`),
  ...filter('listing_formats'),
  ...filter('s3api', `location = ${S3_REGION}`, `storage_domain = ${STORAGE_DOMAIN}`),
  ...filter('tempauth', `user_${account.user}_${account.user} = ${s3Credentials.secretKey} .admin`),
  ...filter('copy'),
  ...filter('container_quotas'),
  ...filter('slo'),
  ...filter('dlo'),
];

/** Writes what the servers read at their start. What they store lies in `devices` beside it. */
export function writeSwiftSettings(dir: string, ports: SwiftPorts): void {
  for (const folder of ['cache', join('devices', DEVICE)]) mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(join(dir, 'swift.conf'), '[swift-hash]\nswift_hash_path_suffix = glimpse\n');
  for (const name of backendServers) {
    writeRing(dir, name, ports[name]);
    writeFileSync(settingsFile(dir, name), `${backendSettings(dir, name, ports[name]).join('\n')}\n`);
  }
  writeFileSync(settingsFile(dir, 'proxy'), `${proxySettings(dir, ports).join('\n')}\n`);
}

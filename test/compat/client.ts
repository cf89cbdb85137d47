import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

// With any standard input that is no terminal the glance command takes it for the data of an image.
const WITHOUT_STDIN = 'exec "$0" "$@" <&-';
const COMMAND_NOT_FOUND = 127;

/**
 * Runs a command-line client with `home` as its home directory (the glance command keeps schemas there); resolves
 * with what it printed, rejects with that when it failed.
 */
export async function runClient(home: string, program: string, args: readonly string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: home, LC_ALL: 'C.UTF-8' };
  try {
    const command = ['-c', WITHOUT_STDIN, program, ...args];
    const { stdout } = await promisify(execFile)('sh', command, { env, timeout: 60_000 });
    return stdout;
  } catch (error) {
    const { code, stderr, stdout } = error as { code?: unknown; stderr?: string; stdout?: string };
    if (code === COMMAND_NOT_FOUND)
      throw new Error(`${program} is not installed; on Debian: apt-get install ${PACKAGES[program]}`, {
        cause: error,
      });
    throw new Error(`${program} ${args.join(' ')}\n${stdout}${stderr}`, { cause: error });
  }
}

const PACKAGES: Readonly<Record<string, string>> = {
  openstack: 'python3-openstackclient',
  glance: 'python3-glanceclient',
};

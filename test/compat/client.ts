import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

// With any standard input that is no terminal the glance command takes it for the data of an image.
const WITHOUT_STDIN = 'exec "$0" "$@" <&-';
const COMMAND_NOT_FOUND = 127;

/** A Python that has the libraries of OpenStack: Debian's, unless another version is to be tried. */
export const PYTHON = process.env['GLIMPSE_TEST_PYTHON'] ?? '/usr/bin/python3';

/** Runs one of the Python programs of the tests; resolves with what it printed, rejects with that when it failed. */
export async function runPython(
  program: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<string> {
  const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', ...variables };
  try {
    const { stdout } = await promisify(execFile)(PYTHON, [program, ...args], { env, timeout: 240_000 });
    return stdout;
  } catch (error) {
    const { stderr, stdout } = error as { stderr?: string; stdout?: string };
    throw new Error(`${program} ${args.join(' ')}\n${stdout}${stderr}`, { cause: error });
  }
}

/** Where the commands of the clients are: those that PATH finds, unless they come with another Python. */
const CLIENT_PATH =
  process.env['GLIMPSE_TEST_PYTHON'] === undefined
    ? process.env['PATH']
    : `${dirname(PYTHON)}:${process.env['PATH']}`;

/**
 * Runs a command-line client with `home` as its home directory (the glance command keeps schemas there); resolves
 * with what it printed, rejects with that when it failed.
 */
export async function runClient(
  home: string,
  program: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = { PATH: CLIENT_PATH, HOME: home, LC_ALL: 'C.UTF-8', ...variables };
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

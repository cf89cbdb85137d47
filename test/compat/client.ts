import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs a command-line client; resolves with what it printed, rejects with that when it failed. */
export async function runClient(program: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { timeout: 60_000 });
    return stdout;
  } catch (error) {
    const { code, stderr, stdout } = error as { code?: unknown; stderr?: string; stdout?: string };
    if (code === 'ENOENT')
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

import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { findProgram } from '../../scripts/services/apt.js';
import { ensureGuestFiles } from './guest-files.js';

const BOOT_TIMEOUT_MS = 120_000;
const COMMAND_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

/** Gives back the room of the zeroes in a file, as a compute service does with what it downloads. */
export const digHoles = (path: string) => execFileSync('fallocate', ['--dig-holes', path]);

export interface VirtualDisk {
  readonly path: string;
  readonly format: 'raw' | 'qcow2';
}

/** The name of its disk in QEMU. */
export const DISK_NAME = 'disk0';

/** A virtual machine of QEMU that runs the small Linux on its disk. */
export class VirtualMachine {
  readonly uuid = randomUUID();
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly exited: Promise<unknown>;
  private readonly console: string[] = [];
  private receive: (line: string) => void = () => undefined;

  private constructor(
    private readonly folder: string,
    disk: VirtualDisk,
  ) {
    const program = findProgram('qemu-system-x86_64');
    if (program === undefined) throw new Error('qemu-system-x86_64 is not installed');
    this.child = spawn(program, this.argumentsFor(disk), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.exited = once(this.child, 'exit');
    // Whoever ends in the middle of a start knows no machine yet that could be stopped.
    const end = () => this.child.kill('SIGKILL');
    process.once('exit', end);
    void this.exited.finally(() => process.off('exit', end)).catch(() => undefined);
    // Writing to one that has ended; the answer that does not come says it.
    this.child.stdin.on('error', () => undefined);
    for (const stream of [this.child.stdout, this.child.stderr])
      createInterface({ input: stream }).on('line', (text) => {
        const line = text.replace(/\r$/, '');
        this.console.push(line);
        this.receive(line);
      });
  }

  /** Starts a machine with its sockets in `folder`, and waits until its system is up. Whoever starts it stops it. */
  static async start(folder: string, disk: VirtualDisk): Promise<VirtualMachine> {
    const machine = new VirtualMachine(folder, disk);
    try {
      await machine.linesUntil('its start', (line) => line === '#ready', BOOT_TIMEOUT_MS);
    } catch (error) {
      await machine.stop();
      throw error;
    }
    return machine;
  }

  /** The monitor's socket, which serves one client at a time. */
  get qmp(): string {
    return join(this.folder, 'qmp.sock');
  }

  /** The socket of the agent in the guest. */
  get guestAgent(): string {
    return join(this.folder, 'agent.sock');
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Runs a line of the shell in the guest; resolves with what it wrote, rejects when it failed. One at a time. */
  async run(command: string): Promise<string> {
    const answer = this.linesUntil(command, (line) => line.startsWith('#done '), COMMAND_TIMEOUT_MS);
    this.child.stdin.write(`${command}\n`);
    const lines = await answer;
    const code = lines.pop();
    const text = lines.join('\n');
    if (code !== '#done 0') throw new Error(`${command} failed in the guest (${code}): ${text}`);
    return text;
  }

  /** Ends it as a power cut would end the guest, while what the guest has written is kept. Repeatable. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const killer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    this.child.kill('SIGTERM');
    await this.exited;
    clearTimeout(killer);
  }

  private linesUntil(what: string, isLast: (line: string) => boolean, timeoutMs: number): Promise<string[]> {
    const lines: string[] = [];
    return new Promise((resolve, reject) => {
      const fail = (why: string) =>
        reject(
          new Error(`${what}: ${why}; the console of the guest:\n${this.console.slice(-40).join('\n')}`),
        );
      const timer = setTimeout(() => fail(`nothing came of it in ${timeoutMs} ms`), timeoutMs);
      void this.exited.then(() => fail('QEMU ended')).finally(() => clearTimeout(timer));
      this.receive = (line) => {
        lines.push(line);
        if (!isLast(line)) return;
        clearTimeout(timer);
        resolve(lines);
      };
    });
  }

  private argumentsFor({ path, format }: VirtualDisk): string[] {
    const { kernel, initramfs } = ensureGuestFiles();
    const escaped = (text: string) => text.replaceAll(',', ',,');
    return [
      // In software: what runs the tests seldom may use the processor's own virtualization.
      '-accel tcg -m 256 -nodefaults -no-user-config -display none -no-reboot -serial stdio'.split(' '),
      ['-uuid', this.uuid],
      ['-kernel', kernel, '-initrd', initramfs, '-append', 'console=ttyS0 quiet panic=-1'],
      ['-qmp', `unix:${escaped(this.qmp)},server=on,wait=off`],
      ['-blockdev', `driver=file,node-name=${DISK_NAME}-file,filename=${escaped(path)}`],
      ['-blockdev', `driver=${format},node-name=${DISK_NAME},file=${DISK_NAME}-file`],
      ['-device', `virtio-blk-pci,drive=${DISK_NAME}`],
      ['-chardev', `socket,id=agent,path=${escaped(this.guestAgent)},server=on,wait=off`],
      ['-device', 'virtio-serial-pci'],
      ['-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0'],
    ].flat();
  }
}

import { execFileSync } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type OwnPlace, createVirtualHost, getTlsServers, waitFor } from '@glimpse/testing';
import { type Channel, type ChannelModel, type ConsumeMessage, connect } from 'amqplib';
import { GuestAgentSocket, QmpSocket } from '../../examples/compute-agent/src/json-socket.js';
import { findProgram } from '../../scripts/services/apt.js';
import { root } from '../../scripts/services/state.js';
import { type AgentRun, ComputeAgent, optionsOf, typescriptOptions } from '../qemu/compute-agent.js';
import { ensureGuestFiles } from '../qemu/guest-files.js';
import { DISK_NAME, VirtualMachine } from '../qemu/virtual-machine.js';

interface Message {
  readonly type: string;
  readonly request_id: string;
  readonly source: { readonly uri: string; readonly incremental?: { readonly dirty_bitmap: string } };
}
type Answer = (message: Message) => Promise<object | undefined> | object | undefined;

const BOOT_MS = 180_000;

/** Without Glimpse: its end of the queue is the test's. */
describe('The compute agent', () => {
  let bus: OwnPlace;
  let folder: string;
  let machine: VirtualMachine;
  let model: ChannelModel;
  let channel: Channel;
  let answer: Answer;
  const messages: Message[] = [];
  const failures: unknown[] = [];

  async function take(delivery: ConsumeMessage | null): Promise<void> {
    const message = JSON.parse(delivery!.content.toString()) as Message;
    messages.push(message);
    const reply = await answer(message);
    const { replyTo, correlationId } = delivery!.properties;
    if (reply !== undefined)
      channel.publish('', String(replyTo), Buffer.from(JSON.stringify({ image_id: 'i', ...reply })), {
        correlationId: String(correlationId),
      });
  }

  beforeAll(async () => {
    bus = await createVirtualHost();
    folder = await mkdtemp(join(tmpdir(), 'glimpse-agent-'));
    model = await connect(bus.url);
    channel = await model.createChannel();
    await channel.assertExchange('glimpse.snapshots', 'topic', { durable: true });
    await channel.assertQueue('requests', { durable: true });
    await channel.consume(
      'requests',
      (delivery) => {
        take(delivery).catch((error: unknown) => failures.push(error));
      },
      { noAck: true },
    );
    const disk = { path: join(folder, 'disk.raw'), format: 'raw' } as const;
    await copyFile(ensureGuestFiles().disk, disk.path);
    machine = await VirtualMachine.start(folder, disk);
  }, BOOT_MS);
  afterAll(async () => {
    await machine?.stop();
    await model?.close();
    await bus?.remove();
    await rm(folder, { recursive: true, force: true });
  }, BOOT_MS);
  beforeEach(async () => {
    messages.length = 0;
    failures.length = 0;
    answer = () => ({ status: 'completed' });
    await channel.bindQueue('requests', 'glimpse.snapshots', '#');
  });

  const commonArguments = () => [
    ...optionsOf({ disk: DISK_NAME, name: 'backup', scratch: folder, bus: bus.url, quiesce: 'required' }),
    ...optionsOf({ 'nbd-listen': `unix:${join(folder, 'nbd.sock')}` }),
    '--json',
  ];
  const socketArguments = () => optionsOf({ qmp: machine.qmp, 'guest-agent': machine.guestAgent });
  const start = (more: readonly string[] = [], run: AgentRun = {}) =>
    new ComputeAgent(['snapshot', ...socketArguments(), ...commonArguments(), ...more], run);
  const clean = () => new ComputeAgent(['clean', ...socketArguments(), '--disk', DISK_NAME, '--json']);

  async function query<T>(command: string, parameters: object = {}): Promise<T> {
    const qmp = await QmpSocket.connect(machine.qmp);
    try {
      return await qmp.execute<T>(command, { arguments: parameters });
    } finally {
      qmp.close();
    }
  }
  async function freeze(): Promise<void> {
    const agent = await GuestAgentSocket.connect(machine.guestAgent, 30_000);
    await agent.execute('guest-fsfreeze-freeze');
    agent.close();
  }
  const bitmaps = async () => {
    const nodes =
      await query<{ 'node-name': string; 'dirty-bitmaps'?: { name: string; count: number }[] }[]>(
        'query-named-block-nodes',
      );
    return {
      nodes: nodes.map((node) => node['node-name']).toSorted(),
      bitmaps: nodes.flatMap((node) => node['dirty-bitmaps'] ?? []),
    };
  };
  /** The machine runs, can write, and has nothing in it that was not there before. */
  async function expectCleanMachine(...expectedBitmaps: string[]): Promise<void> {
    expect(failures).toEqual([]);
    expect(await query('query-jobs')).toEqual([]);
    expect(await query('query-block-exports')).toEqual([]);
    const { nodes, bitmaps: all } = await bitmaps();
    expect(nodes).toEqual([DISK_NAME, `${DISK_NAME}-file`]);
    expect(all.map(({ name }) => name)).toEqual(expectedBitmaps);
    expect((await readdir(folder)).filter((name) => /^gs-|nbd/.test(name))).toEqual([]);
    await machine.run('echo alive > /root/alive; sync');
  }
  /** What a file of the guest's says on the disk that is exported. */
  function readExported(uri: string, file: string): string {
    const copy = join(folder, 'copy.raw');
    execFileSync(findProgram('qemu-img')!, ['convert', '-f', 'raw', '-O', 'raw', uri, copy]);
    return execFileSync(findProgram('debugfs')!, ['-R', `cat ${file}`, copy], { encoding: 'utf8' });
  }

  it('shows the disk as it stood, whatever the guest writes while it is read', async () => {
    await machine.run('echo before > /root/marker; sync');
    let seen = '';
    answer = async ({ source }) => {
      await machine.run('echo after > /root/marker; dd if=/dev/urandom of=/root/noise bs=64k count=32; sync');
      seen = readExported(source.uri, '/root/marker');
      return { status: 'completed', checksum: 'c' };
    };

    const { code, output } = await start(['--project', 'p', '--property', 'a=b']).end();

    expect({ code, seen }).toEqual({ code: 0, seen: 'before\n' });
    const report = JSON.parse(output) as { frozen_ms: number };
    expect(report).toMatchObject({ status: 'completed', image_id: 'i', checksum: 'c', warnings: [] });
    expect(report.frozen_ms).toBeGreaterThanOrEqual(0);
    expect(messages).toMatchObject([
      {
        name: 'backup',
        instance_id: machine.uuid,
        project_id: 'p',
        properties: { a: 'b' },
        reply: 'completed',
      },
    ]);
    await expectCleanMachine();
  });

  it('tells of the progress where it may read the events', async () => {
    await channel.assertExchange('glimpse.events', 'topic', { durable: true });
    const agent = start(['--project', 'p', '--request-id', 'r0']);
    const progress = {
      phase: 'reading',
      bytes_done: 1_048_576,
      bytes_total: 2_097_152,
      bytes_per_second: null,
    };
    answer = async () => {
      for (const [project, bytesDone] of [
        ['other', 0],
        ['p', progress.bytes_done],
      ] as const) {
        const event = { ...progress, request_id: 'r0', project_id: project, bytes_done: bytesDone };
        channel.publish('glimpse.events', 'snapshot.progress', Buffer.from(JSON.stringify(event)));
      }
      await waitFor('the progress', () => agent.log.some((line) => line.startsWith('reading')));
      return { status: 'completed' };
    };

    const { code, log } = await agent.end();

    expect(code).toBe(0);
    expect(log).toContain('reading: 1.0 MiB of 2.0 MiB');
    expect(log).not.toContain('0.0 MiB');
    await channel.deleteExchange('glimpse.events');
    await expectCleanMachine();
  });

  it('shows the disk by TLS only when it is told so', async () => {
    const tlsDir = dirname(getTlsServers().caFile);
    const credentials = join(folder, 'tls');
    await mkdir(credentials);
    for (const [from, to] of [
      ['ca.pem', 'ca-cert.pem'],
      ['server.pem', 'server-cert.pem'],
      ['server.key', 'server-key.pem'],
    ] as const)
      await copyFile(join(tlsDir, from), join(credentials, to));
    const object = { id: 'tls0', dir: credentials, endpoint: 'server', 'verify-peer': false };
    await query('object-add', { 'qom-type': 'tls-creds-x509', ...object });
    const qemuImg = (...args: string[]) =>
      execFileSync(findProgram('qemu-img')!, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    let seen = '';
    answer = ({ source: { uri } }) => {
      expect(() => qemuImg('info', uri.replace('nbds', 'nbd'))).toThrow(/TLS/i);
      const client = `tls-creds-x509,id=c,dir=${credentials},endpoint=client`;
      const name = new URL(uri).pathname.slice(1);
      const server = `server.type=unix,server.path=${join(folder, 'nbd.sock')}`;
      const options = `driver=nbd,${server},export=${name},tls-creds=c,tls-hostname=localhost`;
      seen = qemuImg('info', '--object', client, '--image-opts', options);
      return { status: 'completed' };
    };

    const { code } = await start(['--nbd-tls-creds', 'tls0']).end();

    expect(failures).toEqual([]);
    expect(code).toBe(0);
    expect(messages[0]!.source.uri).toMatch(/^nbds\+unix:/);
    expect(seen).toContain('virtual size: 64 MiB');
    await query('object-del', { id: 'tls0' });
    await expectCleanMachine();
  });

  it('ends with what Glimpse answers, and the bitmap has lost nothing of what was changed', async () => {
    expect((await start(['--bitmap', 'since']).end()).code).toBe(0);
    await machine.run('echo changed > /root/changed; sync');
    answer = () => ({ status: 'failed', error: { code: 'QUOTA_EXCEEDED', message: 'too much' } });

    const { code, output } = await start(['--bitmap', 'since', '--parent', 'i']).end();

    expect(code).toBe(1);
    expect(JSON.parse(output)).toMatchObject({ status: 'failed', error: { message: 'too much' } });
    await expectCleanMachine('since');
    answer = ({ source }) => ({
      status: 'completed',
      checksum: execFileSync(
        findProgram('qemu-img')!,
        [
          'map',
          '--output=json',
          '--image-opts',
          `driver=nbd,server.type=unix,server.path=${join(folder, 'nbd.sock')},export=${new URL(source.uri).pathname.slice(1)},x-dirty-bitmap=qemu:dirty-bitmap:${source.incremental!.dirty_bitmap}`,
        ],
        { encoding: 'utf8' },
      ),
    });
    const again = await start(['--bitmap', 'since', '--parent', 'i']).end();
    const { checksum } = JSON.parse(again.output) as { checksum: string };
    // Read as such, a bitmap has no data where it is dirty.
    const dirty = (JSON.parse(checksum) as { data: boolean; length: number }[]).filter(({ data }) => !data);
    expect(dirty.length).toBeGreaterThan(0);
    expect(dirty.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(16 * 1024 * 1024);
    await expectCleanMachine('since');
  });

  it('cancels when it is ended, and leaves nothing', async () => {
    answer = ({ type }) => (type === 'snapshot.cancel' ? { status: 'cancelled' } : undefined);
    const agent = start();
    await waitFor('the request', () => messages.length === 1, 30_000);

    agent.kill('SIGTERM');

    expect((await agent.end()).code).toBe(5);
    expect(messages.map(({ type }) => type)).toEqual(['snapshot.create', 'snapshot.cancel']);
    expect(messages[1]!.request_id).toBe(messages[0]!.request_id);
    await expectCleanMachine('since');
  });

  it('cancels when there is no answer in time', async () => {
    answer = ({ type }) => (type === 'snapshot.cancel' ? { status: 'cancelled' } : undefined);

    expect((await start(['--timeout', '1']).end()).code).toBe(4);

    expect(messages.map(({ type }) => type)).toEqual(['snapshot.create', 'snapshot.cancel']);
    await expectCleanMachine('since');
  });

  it('goes on with the same moment when it was killed, and lets no other snapshot come between', async () => {
    answer = () => undefined;
    const killed = start(['--request-id', 'r1', '--bitmap', 'since']);
    await waitFor('the request', () => messages.length === 1, 30_000);
    killed.kill('SIGKILL');
    await killed.end();
    // As if it had been killed before it thawed the guest.
    await freeze();

    const other = await start(['--request-id', 'r2']).end();
    answer = () => ({ status: 'completed' });
    const again = await start(['--request-id', 'r1', '--bitmap', 'since']).end();

    expect(other.code).toBe(3);
    expect(again).toMatchObject({ code: 0, log: expect.stringContaining('Going on') });
    expect(messages).toHaveLength(2);
    expect(messages[1]).toEqual(messages[0]);
    await expectCleanMachine('since');
  });

  it('removes on demand what one that was killed has left', async () => {
    answer = () => undefined;
    const killed = start(['--bitmap', 'since']);
    await waitFor('the request', () => messages.length === 1, 30_000);
    killed.kill('SIGKILL');
    await killed.end();
    await freeze();

    const { code, output } = await clean().end();

    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ removed: [expect.stringMatching(/^gs-/)], failures: [] });
    await expectCleanMachine('since');
  });

  it('says so when no Glimpse takes requests, or it was called wrongly', async () => {
    await channel.unbindQueue('requests', 'glimpse.snapshots', '#');

    const nobody = start();
    expect(await nobody.end()).toMatchObject({ code: 1 });
    expect(nobody.log.join()).toContain('No Glimpse takes requests');
    await expectCleanMachine('since');
    expect((await start(['--parent', 'i']).end()).code).toBe(2);
    expect((await start(['--bitmap', 'unknown', '--parent', 'i']).end()).code).toBe(3);
    expect((await start(['--disk', 'unknown']).end()).code).toBe(3);
    await expectCleanMachine('since');
  });

  it('reaches a domain of libvirt by virsh', async () => {
    const virsh = join(folder, 'virsh');
    const script = join(root, 'test', 'qemu', 'virsh-stand-in.ts');
    await writeFile(
      virsh,
      `#!/bin/sh\nexec '${[process.execPath, ...typescriptOptions, script].join("' '")}' "$@"\n`,
    );
    await chmod(virsh, 0o755);
    const env = {
      PATH: `${folder}:${process.env['PATH']}`,
      STAND_IN_DOMAIN: 'instance-1',
      STAND_IN_QMP: machine.qmp,
      STAND_IN_AGENT: machine.guestAgent,
    };

    const { code, output } = await new ComputeAgent(
      ['snapshot', '--domain', 'instance-1', ...commonArguments()],
      { env },
    ).end();

    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ status: 'completed', frozen_ms: expect.any(Number) });
    await expectCleanMachine('since');
  });
});

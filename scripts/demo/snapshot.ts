/** `npm run demo:snapshot`: a virtual machine that runs becomes an image, from which another machine starts. */
import { mkdirSync, mkdtempSync, openAsBlob, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ComputeAgent, optionsOf } from '../../test/qemu/compute-agent.js';
import { CountingProxy } from '../../test/qemu/counting-proxy.js';
import { ensureGuestFiles } from '../../test/qemu/guest-files.js';
import { DISK_NAME, VirtualMachine, digHoles } from '../../test/qemu/virtual-machine.js';
import { freePort } from '../services/ports.js';
import { ensurePrograms } from '../test/programs.js';
import { inMiB, send, step, tell } from './narration.js';
import { startRequestsBus } from './requests-bus.js';
import { startOwn } from './service.js';

type Image = Readonly<Record<string, unknown>> & { readonly id: string };
type Format = 'raw' | 'qcow2';

const QEMU_PORT = 10_809;

interface World {
  readonly api: string;
  readonly bus: string;
  readonly folder: string;
  readonly proxy: CountingProxy;
  readonly qemuPort: number;
  /** What is to be ended, the last one first. */
  readonly ends: (() => Promise<void>)[];
}

/** The image of the small Linux. */
async function uploadBase({ api }: World): Promise<Image> {
  const path = ensureGuestFiles().disk;
  const body = JSON.stringify({ name: 'small linux', disk_format: 'raw', container_format: 'bare' });
  const images = `${api}/v2/images`;
  step('Upload the disk of a small Linux', `openstack image create --file disk.raw "small linux"`);
  const headers = { 'content-type': 'application/json' };
  const image = (await (await send('POST', images, 201, { headers, body })).json()) as Image;
  const octets = { 'content-type': 'application/octet-stream' };
  await send('PUT', `${images}/${image.id}/file`, 204, { headers: octets, body: await openAsBlob(path) });
  tell(`${inMiB(statSync(path).size)} as image ${image.id}`);
  return image;
}

/** Starts a machine on the data of an image, as a compute service would. */
async function boot(world: World, name: string, image: string, format: Format): Promise<VirtualMachine> {
  const folder = join(world.folder, name);
  mkdirSync(folder);
  const path = join(folder, `disk.${format}`);
  const data = await send('GET', `${world.api}/v2/images/${image}/file`, 200);
  writeFileSync(path, new Uint8Array(await data.arrayBuffer()));
  digHoles(path);
  tell(`${inMiB(statSync(path).size)} downloaded; QEMU starts (in software, so it takes a few seconds) …`);
  const start = performance.now();
  const machine = await VirtualMachine.start(folder, { path, format });
  world.ends.push(() => machine.stop());
  tell(`${await machine.run('uname -sr')} is up after ${((performance.now() - start) / 1_000).toFixed(1)} s`);
  return machine;
}

async function runInGuest(machine: VirtualMachine, command: string): Promise<void> {
  tell(`guest# ${command}`);
  for (const line of (await machine.run(command)).split('\n').filter((text) => text !== '')) tell(line);
}

/** What the compute host does; resolves with the image. */
async function snapshot(
  world: World,
  machine: VirtualMachine,
  name: string,
  ...more: string[]
): Promise<string> {
  const { proxy, folder, bus, qemuPort } = world;
  const options = [
    ...optionsOf({ qmp: machine.qmp, 'guest-agent': machine.guestAgent, disk: DISK_NAME, name }),
    ...optionsOf({
      bitmap: 'changes',
      project: 'demo',
      scratch: folder,
      'nbd-listen': `127.0.0.1:${qemuPort}`,
    }),
    ...optionsOf({ 'nbd-at': `127.0.0.1:${proxy.port}`, bus }),
    ...more,
  ];
  const shown = options
    .map((option) => (option === bus ? 'amqp://…' : option.replace(`${folder}/`, '')))
    .map((option) => (option.includes(' ') ? `'${option}'` : option));
  tell(`$ compute-agent snapshot ${shown.join(' ')}`);
  proxy.received = 0;
  const agent = new ComputeAgent(['snapshot', ...options, '--json'], { onLine: tell });
  world.ends.push(async () => {
    agent.kill('SIGTERM');
    await agent.end();
  });
  const { code, output } = await agent.end();
  if (code !== 0) throw new Error(`The agent ended with code ${code}`);
  const report = JSON.parse(output) as { image_id: string; seconds: number; os_hash_value: string };
  tell(`→ image ${report.image_id} in ${report.seconds} s, sha512 ${report.os_hash_value.slice(0, 16)}…`);
  tell(`  ${inMiB(proxy.received)} were read from the disk`);
  return report.image_id;
}

async function show({ api }: World, id: string): Promise<void> {
  const image = (await (await send('GET', `${api}/v2/images/${id}`, 200)).json()) as Image;
  for (const key of ['name', 'status', 'disk_format', 'size', 'virtual_size', 'instance_uuid', 'image_type'])
    tell(`  ${key.padEnd(14)}${String(image[key])}`);
}

async function runDemo(world: World): Promise<void> {
  const base = await uploadBase(world);

  step('Start a machine on a copy of it');
  const machine = await boot(world, 'original', base.id, 'raw');

  step('Change something in the machine that runs');
  await runInGuest(machine, 'echo "written while it ran" > /root/marker; sync; cat /root/marker');

  step('Take a snapshot of its disk: one message to Glimpse, the guest stands still for milliseconds');
  const first = await snapshot(world, machine, 'first snapshot');
  await show(world, first);

  step('Start a second machine from the snapshot, and look for the change');
  const second = await boot(world, 'second', first, 'raw');
  await runInGuest(second, 'cat /root/marker');
  await second.stop();

  step('Change something else in the first machine');
  await runInGuest(machine, 'echo "and then this" > /root/later; sync');

  step('Take an incremental snapshot, as compressed qcow2: only what changed is read, the image is whole');
  const incremental = ['--parent', first, '--format', 'qcow2', '--compressed'];
  const later = await snapshot(world, machine, 'second snapshot', ...incremental);
  await show(world, later);

  step('Start a third machine from that, and look for both');
  const third = await boot(world, 'third', later, 'qcow2');
  await runInGuest(third, 'cat /root/marker /root/later');

  step('The first machine never stopped');
  await runInGuest(machine, 'uptime');
}

async function withWorld(folder: string, ends: World['ends']): Promise<void> {
  ensurePrograms(['e2e']);
  ensureGuestFiles();
  const bus = await startRequestsBus();
  ends.push(() => bus.end());
  const qemuPort = await freePort(QEMU_PORT);
  const proxy = await CountingProxy.start(qemuPort);
  ends.push(() => proxy.close());
  const service = await startOwn({
    GLIMPSE_SNAPSHOTS_BUS_URL: bus.url,
    GLIMPSE_SNAPSHOTS_TRUSTED_PUBLISHERS: '*',
    GLIMPSE_SNAPSHOTS_ALLOWED_ADDRESSES: '127.0.0.1',
    GLIMPSE_SNAPSHOTS_ALLOWED_PORTS: String(proxy.port),
  });
  ends.push(() => service.end());
  console.log(`Glimpse at ${service.url}, takes requests from RabbitMQ (both started for this demo)`);
  await runDemo({ api: service.url, bus: bus.url, folder, proxy, qemuPort, ends });
}

const folder = mkdtempSync(join(tmpdir(), 'glimpse-demo-'));
const ends: World['ends'] = [];

async function endAll(): Promise<void> {
  for (let end = ends.pop(); end !== undefined; end = ends.pop())
    await end().catch((error: Error) => console.error(`Left behind: ${error.message}`));
  rmSync(folder, { recursive: true, force: true });
}

let ended: Promise<void> | undefined;
/** Once, whoever asks first: the end of the demo, or a signal. */
const tidyUp = () => (ended ??= endAll());

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void tidyUp().finally(() => process.exit(1)));
try {
  await withWorld(folder, ends);
  console.log('\nAll as it should be.');
} catch (error) {
  console.error(`\nThe demo failed: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await tidyUp();
}

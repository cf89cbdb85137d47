import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { AgentError, textOf } from './agent-error.js';
import { type NbdAccess, type NbdAddress, parseHostAndPort, parseNbdAddress } from './nbd-address.js';
import type { Domain } from './virsh.js';

export const usage = `Usage:
  compute-agent snapshot (--qmp PATH [--guest-agent PATH] | --domain NAME [--connect URI])
    --disk DEVICE --name NAME --bus URL --nbd-listen (unix:PATH | HOST:PORT) [option …]
  compute-agent clean (--qmp PATH | --domain NAME [--connect URI]) --disk DEVICE

  --request-id ID      the same one again makes no second image; generated without
  --project ID, --user ID, --role NAME …   whom it is for, said by a trusted publisher
  --instance ID        default: the machine's UUID
  --format FORMAT      raw (default) or qcow2, …; --compressed: with qcow2
  --bitmap NAME        record from now on what changes on the disk, for the next one
  --parent IMAGE       read only what --bitmap has recorded since that image
  --image-type TYPE    snapshot (default) or backup; --backup-type NAME
  --base-image ID, --min-disk GIB, --min-ram MIB, --visibility V, --tag T …, --property K=V …, --store NAME …
  --scratch FOLDER     where QEMU keeps what is overwritten meanwhile (default: ${tmpdir()})
  --quiesce MODE       preferred (default), required or off
  --freeze-timeout S   longest time that the guest stands still (default: 10)
  --nbd-at HOST:PORT   where store-workers reach it, if not where QEMU listens
  --nbd-tls-creds ID   object of QEMU's with its certificate: by TLS only
  --timeout S          then it is cancelled (default: 86400)
  --json               the report as one JSON document

GLIMPSE_AGENT_BUS stands for --bus, GLIMPSE_AGENT_TOKEN is a token that says who asks.`;

const many = { type: 'string', multiple: true } as const;
const one = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

const known = {
  qmp: one,
  'guest-agent': one,
  domain: one,
  connect: one,
  disk: one,
  name: one,
  bus: one,
  'nbd-listen': one,
  'nbd-at': one,
  'nbd-tls-creds': one,
  'request-id': one,
  project: one,
  user: one,
  role: many,
  instance: one,
  format: one,
  compressed: flag,
  bitmap: one,
  parent: one,
  'image-type': one,
  'backup-type': one,
  'base-image': one,
  'min-disk': one,
  'min-ram': one,
  visibility: one,
  tag: many,
  property: many,
  store: many,
  scratch: one,
  quiesce: one,
  'freeze-timeout': one,
  timeout: one,
  json: flag,
  help: flag,
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof known }>>['values'];

/** Where the monitor of the machine is, and the agent in its guest. */
export type MachineAddress =
  { readonly qmp: string; readonly guestAgent: string | undefined } | { readonly domain: Domain };

/** What both commands need. */
export interface MachineOptions {
  readonly machine: MachineAddress;
  readonly disk: string;
  readonly isJson: boolean;
}

export interface SnapshotOptions extends MachineOptions {
  readonly requestId: string;
  readonly instanceId: string | undefined;
  /** What the request says as it was typed, by the names of the message. */
  readonly attributes: { readonly name: string; readonly disk_format: string } & Readonly<
    Record<string, unknown>
  >;
  readonly identity: {
    readonly project_id?: string;
    readonly user_id?: string;
    readonly roles?: readonly string[];
    readonly auth?: { readonly token: string };
  };
  readonly compressed: boolean;
  readonly bitmap: string | undefined;
  readonly parent: string | undefined;
  readonly bus: string;
  readonly listen: NbdAddress;
  readonly access: NbdAccess;
  readonly scratch: string;
  readonly quiesce: 'preferred' | 'required' | 'off';
  readonly freezeTimeoutMs: number;
  readonly timeoutMs: number;
}

export type Invocation =
  | { readonly command: 'help' }
  | { readonly command: 'snapshot'; readonly options: SnapshotOptions }
  | { readonly command: 'clean'; readonly options: MachineOptions };

const wrong = (text: string) => new AgentError('usage', text);

function needed(values: Values, name: 'disk' | 'name' | 'nbd-listen'): string {
  const value = values[name];
  if (value === undefined || value === '') throw wrong(`--${name} is missing`);
  return value;
}

function numberOf(values: Values, name: 'freeze-timeout' | 'timeout' | 'min-disk' | 'min-ram') {
  const value = values[name];
  if (value === undefined) return undefined;
  if (!/^\d{1,9}$/.test(value)) throw wrong(`--${name}: ${value} is no whole number`);
  return Number(value);
}

function propertiesOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
      if (name === undefined || value === undefined) throw wrong(`--property: ${pair} is not NAME=VALUE`);
      return [name, value];
    }),
  );
}

function machineOf({ qmp, domain, connect, 'guest-agent': guestAgent }: Values): MachineAddress {
  if (domain !== undefined && qmp === undefined && guestAgent === undefined)
    return { domain: { name: domain, ...(connect === undefined ? {} : { connection: connect }) } };
  if (qmp !== undefined && domain === undefined && connect === undefined) return { qmp, guestAgent };
  throw wrong('Either --qmp (with --guest-agent) or --domain (with --connect) says which machine it is');
}

function quiesceOf({ quiesce = 'preferred' }: Values): SnapshotOptions['quiesce'] {
  if (quiesce === 'preferred' || quiesce === 'required' || quiesce === 'off') return quiesce;
  throw wrong(`--quiesce: ${quiesce} is none of preferred, required, off`);
}

function attributesOf(values: Values): SnapshotOptions['attributes'] {
  return {
    name: needed(values, 'name'),
    disk_format: values.format ?? 'raw',
    image_type: values['image-type'],
    backup_type: values['backup-type'],
    base_image_ref: values['base-image'],
    min_disk: numberOf(values, 'min-disk'),
    min_ram: numberOf(values, 'min-ram'),
    visibility: values.visibility,
    tags: values.tag,
    stores: values.store,
    properties: propertiesOf(values.property ?? []),
  };
}

function snapshotOptions(values: Values, env: NodeJS.ProcessEnv): SnapshotOptions {
  const { bitmap, parent } = values;
  const bus = values.bus ?? env['GLIMPSE_AGENT_BUS'];
  const token = env['GLIMPSE_AGENT_TOKEN'];
  if (bus === undefined || !URL.canParse(bus)) throw wrong('--bus must be amqp://user:password@host/vhost');
  if (parent !== undefined && bitmap === undefined)
    throw wrong('--parent needs the --bitmap that has recorded the changes since');
  return {
    machine: machineOf(values),
    disk: needed(values, 'disk'),
    isJson: values.json === true,
    requestId: values['request-id'] ?? randomUUID(),
    instanceId: values.instance,
    attributes: attributesOf(values),
    identity: {
      ...(values.project === undefined ? {} : { project_id: values.project }),
      ...(values.user === undefined ? {} : { user_id: values.user }),
      ...(values.role === undefined ? {} : { roles: values.role }),
      ...(token === undefined || token === '' ? {} : { auth: { token } }),
    },
    compressed: values.compressed === true,
    bitmap,
    parent,
    bus,
    listen: parseNbdAddress('--nbd-listen', needed(values, 'nbd-listen')),
    access: {
      ...(values['nbd-at'] === undefined ? {} : { at: parseHostAndPort('--nbd-at', values['nbd-at']) }),
      ...(values['nbd-tls-creds'] === undefined ? {} : { tlsCredentials: values['nbd-tls-creds'] }),
    },
    scratch: values.scratch ?? tmpdir(),
    quiesce: quiesceOf(values),
    freezeTimeoutMs: (numberOf(values, 'freeze-timeout') ?? 10) * 1_000,
    timeoutMs: (numberOf(values, 'timeout') ?? 86_400) * 1_000,
  };
}

/** What the command line and the environment say; throws where that is not possible. */
export function parseInvocation(args: readonly string[], env: NodeJS.ProcessEnv): Invocation {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options: known, allowPositionals: true });
  } catch (error) {
    throw wrong(textOf(error));
  }
  const { values, positionals } = parsed;
  const [command, ...rest] = positionals;
  if (values.help === true || command === 'help') return { command: 'help' };
  if (rest.length > 0) throw wrong(`Nobody knows what to do with ${rest.join(' ')}`);
  if (command === 'snapshot') return { command, options: snapshotOptions(values, env) };
  if (command === 'clean')
    return {
      command,
      options: {
        machine: machineOf(values),
        disk: needed(values, 'disk'),
        isJson: values.json === true,
      },
    };
  throw wrong(`The command must be snapshot or clean${command === undefined ? '' : `, not ${command}`}`);
}
